# The package manifests are well-formed, name each other's version, and know the same optional parts:
#   cmake -DROOT=<edge> -P manifests.cmake
file(READ ${ROOT}/include/edge/core/version.hpp _header)
string(REGEX MATCH "version = \"([0-9.]+)\"" _ "${_header}")
set(_version ${CMAKE_MATCH_1})
foreach(_part major minor patch)
  string(REGEX MATCH "version_${_part} = ([0-9]+)" _ "${_header}")
  list(APPEND _parts ${CMAKE_MATCH_1})
endforeach()
list(JOIN _parts . _numbers)

function(expect what value expected)
  if(NOT value STREQUAL expected)
    message(SEND_ERROR "${what} is '${value}'; expected '${expected}'")
  endif()
endfunction()

expect("version.hpp: the three numbers" "${_numbers}" "${_version}")

file(READ ${ROOT}/vcpkg.json _json)
string(JSON _count LENGTH "${_json}" dependencies)  # fails by itself where the file is not JSON
file(READ ${ROOT}/cmake/vcpkg-port/edge/vcpkg.json _json)
string(JSON _value GET "${_json}" version)
expect("cmake/vcpkg-port/edge/vcpkg.json: version" "${_value}" "${_version}")
string(JSON _count LENGTH "${_json}" features)
math(EXPR _last "${_count} - 1")
foreach(_i RANGE ${_last})
  string(JSON _name MEMBER "${_json}" features ${_i})
  list(APPEND _features ${_name})
endforeach()
expect("cmake/vcpkg-port/edge/vcpkg.json: features" "${_features}" "onnx;snappy;zlib;zstd")

file(READ ${ROOT}/conanfile.py _recipe)
foreach(_name IN LISTS _features)
  if(NOT _recipe MATCHES "\"${_name}\": \\[True, False\\]")
    message(SEND_ERROR "conanfile.py has no option ${_name}")
  endif()
endforeach()

find_program(_python NAMES python3 python)
if(_python)
  foreach(_file conanfile.py tests/package/conan/conanfile.py)
    execute_process(COMMAND ${_python} -c "import ast, sys; ast.parse(open(sys.argv[1]).read())" ${ROOT}/${_file}
      RESULT_VARIABLE _status ERROR_VARIABLE _error)
    expect("${_file}: status of parsing it" "${_status}" "0")
  endforeach()
else()
  message(STATUS "skipped: there is no Python to parse conanfile.py with")
endif()
