; Functions

(function_definition name: (_) @name body: (_) @body) @definition.function

; Variables outside functions; `NAME=value command` sets none.

((declaration_command
  . ["readonly" "declare" "typeset"] @keyword
  . (word)? @option
  (variable_assignment name: (variable_name) @name value: (_) @body)) @definition.constant
  (#text? @keyword "readonly"))

((declaration_command
  . (word) @option
  (variable_assignment name: (variable_name) @name value: (_) @body)) @definition.constant
  (#text? @option "-r" "-rx" "-xr" "-ir" "-ri"))

(declaration_command
  (variable_assignment name: (variable_name) @name value: (_)? @body)) @definition.variable

(program (variable_assignment name: (variable_name) @name value: (_)? @body) @definition.variable)

(if_statement
  (variable_assignment name: (variable_name) @name value: (_)? @body) @definition.variable)

(elif_clause
  (variable_assignment name: (variable_name) @name value: (_)? @body) @definition.variable)

(else_clause
  (variable_assignment name: (variable_name) @name value: (_)? @body) @definition.variable)

; Documentation

(comment) @comment

; Uses

((command name: (command_name (word) @reference.call)) (#set! name "whole"))

; Imports

((command
  name: (command_name) @source
  . argument: (_) @reference.import)
  (#text? @source "source" "."))

((command name: (command_name) @source) @import
  (#text? @source "source" "."))
