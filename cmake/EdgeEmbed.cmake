# edge_embed(TARGET NAME FILE): makes `embedded/NAME.hpp` for TARGET, with the bytes of FILE as
# `std::span<const std::byte> embedded::NAME()`, so that a program carries its small files with it.
# Run as a script (cmake -DINPUT=… -DOUTPUT=… -DNAME=… -P EdgeEmbed.cmake) it writes that header.
if(CMAKE_SCRIPT_MODE_FILE)
  file(READ ${INPUT} _bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," _bytes "${_bytes}")
  string(REGEX REPLACE "(................................................................................)" "\\1\n" _bytes "${_bytes}")
  file(WRITE ${OUTPUT} "#pragma once
#include <cstddef>
#include <span>
namespace embedded {
inline std::span<const std::byte> ${NAME}() {
static constexpr unsigned char bytes[] = {
${_bytes}
};
return std::as_bytes(std::span(bytes));
}
}  // namespace embedded
")
  return()
endif()

function(edge_embed target name file)
  set(_header ${CMAKE_CURRENT_BINARY_DIR}/embedded/${name}.hpp)
  set(_script ${PROJECT_SOURCE_DIR}/cmake/EdgeEmbed.cmake)
  add_custom_command(
    OUTPUT ${_header}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${file} -DOUTPUT=${_header} -DNAME=${name} -P ${_script}
    DEPENDS ${file} ${_script}
    VERBATIM)
  target_sources(${target} PRIVATE ${_header})
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
endfunction()
