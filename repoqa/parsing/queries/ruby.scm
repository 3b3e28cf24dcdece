; Modules and classes

(module name: (_) @name body: (_) @body) @definition.module

(module name: (_) @name) @definition.module

(class name: (_) @name body: (_) @body) @definition.class

(class name: (_) @name) @definition.class

; Point = Struct.new(:x) do ... end
((assignment
  left: (constant) @name
  right: (call receiver: (constant) @library method: (_) @maker block: (_)? @body)
  ) @definition.class
  (#text? @library "Struct" "Class" "Data")
  (#text? @maker "new" "define"))

; Methods

(program (method name: (_) @name body: (_)? @body) @definition.function)

(method name: (_) @name body: (_) @body) @definition.method

(method name: (_) @name) @definition.method

; def Shop.open outside of Shop
(program (singleton_method
  object: (constant) @owner name: (_) @name body: (_)? @body) @definition.method)

(singleton_method name: (_) @name body: (_) @body) @definition.method

(singleton_method name: (_) @name) @definition.method

((call
  method: (identifier) @define
  arguments: (argument_list . [(simple_symbol) (string)] @name)
  block: (_) @body) @definition.method
  (#text? @define "define_method"))

; Variables

(assignment
  left: (constant) @name
  right: (lambda body: (_) @body)) @definition.function

(assignment left: (constant) @name right: (_) @body) @definition.constant

(operator_assignment left: (constant) @name right: (_) @body) @definition.constant

(assignment
  left: (left_assignment_list (constant) @name)
  right: (_) @body) @definition.constant

(program (assignment left: (global_variable) @name right: (_) @body) @definition.variable)

((call
  method: (identifier) @attribute
  arguments: (argument_list (simple_symbol) @name)) @definition.variable
  (#text? @attribute "attr_accessor" "attr_reader" "attr_writer"))

; Documentation

(comment) @comment

; Inheritance

(superclass [(constant) (scope_resolution)] @base)

((call
  method: (identifier) @mixin
  arguments: (argument_list [(constant) (scope_resolution)] @base))
  (#text? @mixin "include" "extend" "prepend"))

; Uses

(call method: [(identifier) (constant)] @reference.call)

(constant) @reference.type

; Imports

((call
  !receiver
  method: (identifier) @require
  arguments: (argument_list . (string (string_content) @reference.import)))
  (#text? @require "require" "require_relative" "load"))

((call
  !receiver
  method: (identifier) @require
  arguments: (argument_list . (string))) @import
  (#text? @require "require" "require_relative" "load"))
