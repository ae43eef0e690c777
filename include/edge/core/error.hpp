// SPDX-License-Identifier: MIT
#pragma once

/// @file The exceptions of the library. Catch `edge::error` for all of them.
///
/// A message is one lower-case line: what, the offending value, where (column, row, byte offset, node), what was
/// expected. The `imu` layer throws none of these: it returns `edge::expected`.

#include <edge/core/message.hpp>

#include <stdexcept>
#include <string>

namespace edge {

/// Base of everything the library throws on purpose.
class error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A value that the called function does not accept: out of its range, of the wrong kind, contradicting another.
class argument_error : public error {
public:
    using error::error;
};

/// Shapes that do not fit each other or the operation; the message gives them all.
class shape_error : public error {
public:
    using error::error;
};

/// Bytes from outside that are not what their format says; the message gives the place.
class parse_error : public error {
public:
    using error::error;
};

/// The operating system refused: the message gives the path and the system's reason.
class io_error : public error {
public:
    using error::error;
};

/// A well-formed input that asks for something that is not there; the message names it.
class unsupported_error : public error {
public:
    using error::error;
};

}  // namespace edge
