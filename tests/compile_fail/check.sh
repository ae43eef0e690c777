#!/bin/sh
# What must not compile:  check.sh COMPILER
#
# Each file here says in a line `// must say: PATTERN` what the compiler's message has to match, and holds the mistake
# between `#ifdef MISTAKE` and `#endif`. Without the mistake the file must compile: so it fails for that reason alone.
set -u
cd "$(dirname -- "$0")" || exit 2
failed=0
count=0
for file in *.cpp; do
    compile="$1 -std=c++20 -I../../include -fsyntax-only"
    $compile "$file" || { echo "$file: does not compile without the mistake"; failed=1; continue; }
    text=$(sed -n 's|^// must say: ||p' "$file")
    [ -n "$text" ] || { echo "$file: has no line '// must say: …'"; failed=1; continue; }
    if said=$($compile -DMISTAKE "$file" 2>&1); then
        echo "$file: compiles with the mistake"
        failed=1
    elif ! echo "$said" | grep -qE -- "$text"; then
        echo "$file: the message does not match '$text':"
        echo "$said" | head -n 20
        failed=1
    fi
    count=$((count + 1))
done
echo "compile_fail: $count files"
exit "$failed"
