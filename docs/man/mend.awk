# scdoc starts a paragraph behind every heading, and indents by a tag without a body; mandoc frowns.
/^\.P$/ || /^\.PP$/ { held = $0; next }
held != "" {
    if (!fresh && $0 !~ /^\.(SH|SS|RE|RS|TP|P|PP)/) { print held }
    held = ""
}
{ print }
{ fresh = $0 ~ /^\.(TH|SH|SS)/ }
