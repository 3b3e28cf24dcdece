; Elements of components; those in lower case are the browser's own.

((jsx_opening_element name: [
  (identifier) @reference.call
  (member_expression property: (_) @reference.call)])
  (#capitalized? @reference.call))

((jsx_self_closing_element name: [
  (identifier) @reference.call
  (member_expression property: (_) @reference.call)])
  (#capitalized? @reference.call))
