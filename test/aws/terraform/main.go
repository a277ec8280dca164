// Command terraform-policies evaluates Terraform files as Terraform would, as far as they need no provider: it reads a file on standard
// input (JSON syntax with --json) and writes each block as JSON, policies as real JSON, and whether `terraform fmt` would change the file.
// An unknown function, or a reference to what the file does not have, is an error.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

var schema = &hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{
	{Type: "resource", LabelNames: []string{"type", "name"}},
	{Type: "data", LabelNames: []string{"type", "name"}},
	{Type: "import"},
}}

// Attributes that hold an address, and are no value.
var addresses = map[string]bool{"provider": true, "depends_on": true, "to": true}

type result struct {
	Block      string                     `json:"block"`
	Labels     []string                   `json:"labels"`
	Attributes map[string]json.RawMessage `json:"attributes"`
}

func fail(diagnostics hcl.Diagnostics) {
	if diagnostics.HasErrors() {
		fmt.Fprintln(os.Stderr, diagnostics.Error())
		os.Exit(1)
	}
}

// An attribute of another block is known after an apply: "<ADDRESS.ATTRIBUTE>" stands for it.
func placeholders(blocks hcl.Blocks) map[string]cty.Value {
	byType := map[string]map[string]cty.Value{}
	for _, block := range blocks {
		if len(block.Labels) != 2 {
			continue
		}
		kind, name := block.Labels[0], block.Labels[1]
		if block.Type == "data" {
			kind = "data." + kind
		}
		if byType[kind] == nil {
			byType[kind] = map[string]cty.Value{}
		}
		if _, again := byType[kind][name]; again {
			fail(hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "defined twice: " + kind + "." + name}})
		}
		attributes := map[string]cty.Value{}
		for _, attribute := range []string{"arn", "id", "name", "url"} {
			attributes[attribute] = cty.StringVal(fmt.Sprintf("<%s.%s.%s>", kind, name, attribute))
		}
		byType[kind][name] = cty.ObjectVal(attributes)
	}
	variables, data := map[string]cty.Value{}, map[string]cty.Value{}
	for kind, names := range byType {
		if of, isData := strings.CutPrefix(kind, "data."); isData {
			data[of] = cty.ObjectVal(names)
		} else {
			variables[kind] = cty.ObjectVal(names)
		}
	}
	variables["data"] = cty.ObjectVal(data)
	return variables
}

// The addresses of an expression, in JSON syntax strings. Those of resources must be there; providers are configured elsewhere.
func addressesOf(name string, expression hcl.Expression, context *hcl.EvalContext) []string {
	traversals := []hcl.Traversal{}
	if items, diagnostics := hcl.ExprList(expression); !diagnostics.HasErrors() {
		for _, item := range items {
			traversal, diagnostics := hcl.AbsTraversalForExpr(item)
			fail(diagnostics)
			traversals = append(traversals, traversal)
		}
	} else {
		traversal, diagnostics := hcl.AbsTraversalForExpr(expression)
		fail(diagnostics)
		traversals = append(traversals, traversal)
	}
	texts := []string{}
	for _, traversal := range traversals {
		parts := []string{}
		for _, step := range traversal {
			switch step := step.(type) {
			case hcl.TraverseRoot:
				parts = append(parts, step.Name)
			case hcl.TraverseAttr:
				parts = append(parts, step.Name)
			}
		}
		if name != "provider" {
			_, diagnostics := traversal.TraverseAbs(context)
			fail(diagnostics)
		}
		texts = append(texts, strings.Join(parts, "."))
	}
	return texts
}

func main() {
	source, err := io.ReadAll(os.Stdin)
	if err != nil {
		panic(err)
	}
	parser := hclparse.NewParser()
	parse, isJSON := parser.ParseHCL, len(os.Args) > 1 && os.Args[1] == "--json"
	if isJSON {
		parse = parser.ParseJSON
	}
	file, diagnostics := parse(source, "iam.tf")
	fail(diagnostics)
	content, diagnostics := file.Body.Content(schema)
	fail(diagnostics)
	context := &hcl.EvalContext{
		Variables: placeholders(content.Blocks),
		Functions: map[string]function.Function{"jsonencode": stdlib.JSONEncodeFunc},
	}
	blocks := []result{}
	for _, block := range content.Blocks {
		attributes, diagnostics := block.Body.JustAttributes()
		fail(diagnostics)
		values := map[string]json.RawMessage{}
		for name, attribute := range attributes {
			if addresses[name] {
				values[name], _ = json.Marshal(addressesOf(name, attribute.Expr, context))
				continue
			}
			value, diagnostics := attribute.Expr.Value(context)
			fail(diagnostics)
			text, err := ctyjson.Marshal(value, value.Type())
			if err != nil {
				panic(err)
			}
			if isPolicy := strings.HasSuffix(name, "policy"); isPolicy {
				text = []byte(value.AsString())
			}
			values[name] = text
		}
		blocks = append(blocks, result{block.Type, append([]string{}, block.Labels...), values})
	}
	formatted := isJSON || bytes.Equal(hclwrite.Format(source), source)
	json.NewEncoder(os.Stdout).Encode(map[string]any{"formatted": formatted, "blocks": blocks})
}
