package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// form says in one line what is wrong with the form of a job file, and where. The library's own words speak of Go's types, and repeat the
// lines around the place.
func form(path string, err error) error {
	var e yaml.Error
	if !errors.As(err, &e) || e.GetToken() == nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	at := e.GetToken().Position
	return fmt.Errorf("%s:%d:%d: %s", path, at.Line, at.Column, misfit(e))
}

func misfit(err yaml.Error) string {
	var value *yaml.TypeError
	var node *yaml.UnexpectedNodeTypeError
	switch {
	case errors.As(err, &value):
		return fmt.Sprintf("%q stands where %s belongs", value.Token.Value, wanted(value.DstType))
	case errors.As(err, &node) && node.Expected == ast.SequenceType:
		return "a list belongs here: write it in brackets, as [one, two]"
	case errors.As(err, &node) && node.Expected == ast.MappingType:
		return "keys with values of their own belong here, as {key: value}"
	}
	message := strings.TrimSpace(err.GetMessage())
	if strings.Contains(message, "'\t'") || strings.Contains(message, "tab character") {
		return "a tab stands here: YAML takes only blanks before a key"
	}
	return message
}

// wanted says what a value of the type is written as.
func wanted(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Float64:
		return "a number"
	case reflect.String:
		return "a text"
	default:
		return "something else"
	}
}
