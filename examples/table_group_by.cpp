// SPDX-License-Identifier: MIT

/// @file One screen of edge::frame: readings of two wheels, cleaned, joined with the speed, and summed up by second.

#include <edge/frame.hpp>

#include <chrono>
#include <iostream>

int main() {
    using namespace edge::frame;
    using namespace std::chrono_literals;

    const table wheels = parse_csv(
        "ts,wheel,shake\n"
        "2024-03-01T12:00:00.10Z,left,0.31\n"
        "2024-03-01T12:00:00.15Z,right,0.28\n"
        "2024-03-01T12:00:00.90Z,left,0.35\n"
        "2024-03-01T12:00:01.20Z,left,\n"  // a missing value
        "2024-03-01T12:00:01.40Z,right,0.91\n"
        "2024-03-01T12:00:01.80Z,left,0.88\n");
    const table speed = parse_csv(
        "ts,kmh\n"
        "2024-03-01T12:00:00Z,31.5\n"
        "2024-03-01T12:00:01Z,48.0\n");

    table t = join_asof(wheels, speed, {.on = "ts", .tolerance = 900ms});
    t.add("second", tumbling(t.column("ts"), 1'000'000'000));
    const table by_second = t.group_by("second", "wheel").agg(count(), mean("shake"), max("shake"), last("kmh"));

    std::cout << to_csv(by_second);
    const auto fast = filter(by_second, "kmh_last > 40");
    std::cout << "\nfaster than 40 km/h: " << fast.rows() << " of " << by_second.rows() << " groups\n";
    return fast.rows() == 2 ? 0 : 1;
}
