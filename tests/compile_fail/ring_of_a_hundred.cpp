// SPDX-License-Identifier: MIT
// must say: the capacity of a ring is a power of two
#include <edge/imu/ring.hpp>

edge::imu::ring<int, 128> fine;
#ifdef MISTAKE
edge::imu::ring<int, 100> wrong;
#endif
