// SPDX-License-Identifier: MIT
// The attention example from outside.

#include "checks/run_program.hpp"

TEST_CASE("attention looks at the word itself and at the one before") {
    const auto r = run("attention", {});
    CHECK(r.status == 0);
    CHECK(r.out ==
          "head 0: how much of each word, in percent\n"
          "  93   2   2   2   2\n"
          "   2  93   2   2   2\n"
          "   2   2  93   2   2\n"
          "   2   2   2  93   2\n"
          "   2   2   2   2  93\n"
          "head 1: how much of each word, in percent\n"
          "   2   2   2   2  93\n"
          "  93   2   2   2   2\n"
          "   2  93   2   2   2\n"
          "   2   2  93   2   2\n"
          "   2   2   2  93   2\n");
}
