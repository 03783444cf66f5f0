# One line of the sorted report "TOOL (TEST PROGRAM)", one a line: each tool once.
{
    space = match($0, / \([^()]*\)$/)
    tool = substr($0, 1, space - 1)
    test = substr($0, space + 2, length($0) - space - 2)
    if (tool == last) line = line ", " test
    else line = line (last == "" ? "" : "); ") tool " (" test
    last = tool
}
END { print "skipped, because it is not installed: " line ")" }
