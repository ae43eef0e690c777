# Flags of our own programs. None of this reaches users: edge::edge carries include paths and C++20 only.
include_guard(GLOBAL)

# The instruction set our programs are built for: AVX-512 where this machine has what x86-64-v4 names and a preset does not
# ask for less, AVX2 and FMA where it has those, else the compiler's default. Dot products of bytes come with none of
# these levels: they are asked for by name.
if(NOT DEFINED EDGE_MARCH)
  set(_march "")
  set(_dot "")
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64" AND NOT CMAKE_CROSSCOMPILING AND EXISTS /proc/cpuinfo)
    file(STRINGS /proc/cpuinfo _flags REGEX "^flags.* avx2 " LIMIT_COUNT 1)
    if(_flags MATCHES " fma ")
      set(_march x86-64-v3)
    endif()
    if(_march AND NOT EDGE_WITHOUT_AVX512 AND _flags MATCHES " avx512f " AND _flags MATCHES " avx512bw " AND
       _flags MATCHES " avx512cd " AND _flags MATCHES " avx512dq " AND _flags MATCHES " avx512vl ")
      set(_march x86-64-v4)
    endif()
    if(_march STREQUAL "x86-64-v4" AND _flags MATCHES " avx512_vnni ")
      list(APPEND _dot -mavx512vnni)
    endif()
    if(_march AND NOT EDGE_WITHOUT_VNNI AND _flags MATCHES " avx_vnni ")
      list(APPEND _dot -mavxvnni)
    endif()
  endif()
  set(EDGE_MARCH_DOT "${_dot}" CACHE STRING "Flags for dot products of bytes, beside EDGE_MARCH")
  set(EDGE_MARCH "${_march}" CACHE STRING "-march= of edge's own tests, examples and benches; empty for the compiler's default")
endif()

add_library(edge_flags INTERFACE)
target_compile_options(edge_flags INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 and 13 see overflows and dangling in std::string and std::vector code that is right (GCC bugs 105329, 105651).
  target_compile_options(edge_flags INTERFACE -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds)
  # A note for each call, on Arm, that GCC 10.1 changed how empty bases are passed.
  target_compile_options(edge_flags INTERFACE -Wno-psabi)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND EDGE_MARCH MATCHES "native|v4|avx512")
  # g++ 12's own header for AVX-512 (GCC bug 105593).
  target_compile_options(edge_flags INTERFACE -Wno-maybe-uninitialized -Wno-uninitialized)
endif()
if(EDGE_MARCH)
  target_compile_options(edge_flags INTERFACE -march=${EDGE_MARCH} ${EDGE_MARCH_DOT})
endif()

foreach(_name openmp onnx snappy zlib zstd)
  if(_name STREQUAL "openmp" AND EDGE_WITHOUT_OPENMP)
    set(edge_openmp_FOUND FALSE)
  else()
    edge_find_optional(${_name})
  endif()
  if(edge_${_name}_FOUND)
    message(STATUS "edge: ${_name} found")
  else()
    message(STATUS "edge: ${_name} not found: its part of the library is left out")
    # Its header may be there all the same: the host's, seen by a cross compiler.
    string(TOUPPER EDGE_WITHOUT_${_name} _without)
    target_compile_definitions(edge_flags INTERFACE ${_without})
  endif()
endforeach()

# The engine of nn/, compiled once for all programs: it takes longer than all else.
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/nn_engine.cpp CONTENT "#define EDGE_NN_DEFINE\n#include <edge/nn.hpp>\n")
add_library(edge_nn_engine STATIC EXCLUDE_FROM_ALL ${PROJECT_BINARY_DIR}/nn_engine.cpp)
target_compile_definitions(edge_nn_engine PUBLIC EDGE_NN_EXTERN)
target_link_libraries(edge_nn_engine PRIVATE edge::edge edge_flags)
if(TARGET edge::openmp)
  target_link_libraries(edge_nn_engine PRIVATE edge::openmp)
endif()
set_target_properties(edge_nn_engine PROPERTIES CXX_EXTENSIONS OFF)
# Programs take of it what they use.
target_compile_options(edge_nn_engine PRIVATE -ffunction-sections -fdata-sections)
if(UNIX AND NOT APPLE)
  target_link_options(edge_nn_engine INTERFACE -Wl,--gc-sections)
endif()

# A program of ours, with every optional library that was found.
function(edge_add_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE edge::edge edge_flags edge_nn_engine)
  foreach(_name openmp onnx snappy zlib zstd)
    if(TARGET edge::${_name})
      target_link_libraries(${name} PRIVATE edge::${_name})
    endif()
  endforeach()
  set_target_properties(${name} PROPERTIES CXX_EXTENSIONS OFF RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
endfunction()
