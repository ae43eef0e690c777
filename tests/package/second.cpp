// SPDX-License-Identifier: MIT

#include <edge/core/tensor.hpp>
#include <edge/core/version.hpp>

#include <string>

std::string second_file_version();
std::string second_file_version() { return edge::version; }
