#!/bin/sh
# Compiles the snippets of a page that are marked for it:  check.sh PAGE COMPILER
#
#     <!-- compiled: NAME                        or in one line: <!-- compiled: NAME -->
#     edge::tensor<float> a({4}), b({4});        what the snippet uses and does not declare
#     -->
#     ```cpp
#     #include <edge/simd.hpp>
#     auto sum = edge::eval(a + b);
#     ```
#
# A snippet with a main is a file; of any other, the lines that are no #include become the body of a function.
set -u
page=$1
compiler=$2
include=$(CDPATH='' cd -- "$(dirname -- "$0")/../../include" && pwd)
[ -f "$page" ] || { echo "skipped: there is no $page"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

awk -v folder="$folder" '
function finish() {
    file = folder "/" name ".cpp"
    if (whole) body_text = body
    else body_text = "void snippet();\nvoid snippet() {\n" given body "}\n"
    printf "%s%s", includes, body_text > file
    close(file)
    name = ""
}
/^<!-- compiled: / {
    name = $3; includes = given = body = ""; whole = 0
    in_given = !/-->/
    next
}
in_given { if (/-->/) in_given = 0; else given = given $0 "\n"; next }
name != "" && !in_code && /^```cpp/ { in_code = 1; next }
in_code && /^```/ { in_code = 0; finish(); next }
in_code && /^#include/ { includes = includes $0 "\n"; next }
in_code { if (/int main\(/) whole = 1; body = body $0 "\n" }
name != "" && !in_code && !/^$/ { print "compiled: " name " is not followed by a ```cpp block"; exit 1 }
END { if (name != "") { print "compiled: " name " has no end"; exit 1 } }
' "$page" || exit 1

failed=0
count=0
for file in "$folder"/*.cpp; do
    [ -f "$file" ] || break
    "$compiler" -std=c++20 -I"$include" -fsyntax-only "$file" || { echo "$(basename "$file" .cpp) does not compile"; failed=1; }
    count=$((count + 1))
done
if [ "$count" = 0 ]; then
    echo "no snippet of $page is marked <!-- compiled: NAME -->"
    exit 1
fi
echo "readme: $count snippets"
exit "$failed"
