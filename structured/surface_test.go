package structured_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/expr"
)

var updateSurface = flag.Bool("update-surface", false, "write docs/guide/dataframe.md anew")

const surfacePage = "../docs/guide/dataframe.md"

// goClasses are the Go types beside PySpark's classes.
var goClasses = map[string]string{"SparkSession": "Session", "RuntimeConfig": "Conf", "DataFrame": "DataFrame", "DataFrameNaFunctions": "DataFrame",
	"DataFrameStatFunctions": "DataFrame", "Column": "Column", "GroupedData": "GroupedData", "Window": "WindowSpec", "WindowSpec": "WindowSpec",
	"DataFrameReader": "DataFrameReader", "DataFrameWriter": "DataFrameWriter", "Observation": "Observation"}

// The Go page must say what the code has: a method is found in the source, or the reason why it is absent is written down.
func TestSurface(t *testing.T) {
	api := exported(t)
	data, err := os.ReadFile("../testdata/pyspark/methods.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString(surfaceIntro)
	class := ""
	for _, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		f := strings.Split(line, "\t")
		if len(f) != 5 {
			t.Fatalf("methods.tsv: %q has not five columns", line)
		}
		if f[0] != class {
			class = f[0]
			fmt.Fprintf(&b, "\n## %s\n\n| PySpark | Go | PySpark on this server |\n|---|---|---|\n", class)
		}
		inGo, err := goSide(api, f[0], f[1], f[4])
		if err != nil {
			t.Error(err)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f[1], inGo, pysparkSide(f))
	}
	if *updateSurface {
		if err := os.WriteFile(surfacePage, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(surfacePage)
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != b.String() {
		t.Errorf("%s does not say what the code has: go test ./structured -run TestSurface -update-surface", surfacePage)
	}
}

// goSide is the cell of the Go API.
func goSide(api map[string]bool, class, method, failure string) (string, error) {
	key := class + "." + method
	if why := absentInGo[key]; why != "" {
		return "absent: " + why, nil
	}
	if why := absentInGo[class]; why != "" && goNames[key] == "" {
		return "absent: " + why, nil
	}
	if class == "functions" {
		return goFunction(api, method, failure)
	}
	name, note, _ := strings.Cut(goNames[key], "|")
	if name == "" {
		name = goClasses[class] + "." + strings.ToUpper(method[:1]) + method[1:]
	}
	if !api[name] {
		return "", fmt.Errorf("%s: there is no %s in Go, and nothing says why", key, name)
	}
	if note != "" {
		return "`" + name + "`: " + note, nil
	}
	return "`" + name + "`", nil
}

// goFunction finds a function of columns: one of its own, or by Call. What the engine did not have when PySpark was tried is absent
// until it is tried again.
func goFunction(api map[string]bool, name, failure string) (string, error) {
	own := ""
	for _, w := range strings.Split(name, "_") {
		own += strings.ToUpper(w[:1]) + w[1:]
	}
	if other := functionNames[name]; other != "" {
		own = other
	}
	_, known := expr.Lookup(name)
	switch {
	case api[own]:
		return "`" + own + "`", nil
	case strings.Contains(failure, "`"+name+"`") || notByName[name]:
		return "absent: the engine has no such function", nil
	case known:
		return "`Call(\"" + name + "\", …)`", nil
	}
	return "", fmt.Errorf("functions.%s: the engine does not know it, and nothing says why", name)
}

// pysparkSide is the cell of what was measured.
func pysparkSide(f []string) string {
	key, tried, passed, failure := f[0]+"."+f[1], f[2], f[3], f[4]
	switch {
	case tried == "0" && failure != "":
		return failure
	case tried == "0":
		return "no example to try"
	case tried == passed:
		return "same (" + tried + " examples)"
	}
	if why := different[key]; why != "" {
		return "different: " + why
	}
	for part, why := range differentBecause {
		if strings.Contains(failure, part) {
			return "absent: " + why
		}
	}
	failure = strings.NewReplacer("|", "\\|", "<", "&lt;", "pyspark.errors.exceptions.connect.", "").Replace(failure)
	return fmt.Sprintf("different: %s of %s examples pass; %s", passed, tried, failure)
}

// exported are the package's functions and methods: Name, Type.Method.
func exported(t *testing.T) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				out[receiver(d)+d.Name.Name] = true
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if ts, ok := s.(*ast.TypeSpec); ok {
						if it, ok := ts.Type.(*ast.InterfaceType); ok {
							for _, m := range it.Methods.List {
								for _, n := range m.Names {
									out[ts.Name.Name+"."+n.Name] = true
								}
							}
						}
					}
				}
			}
		}
	}
	return out
}

func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	e := d.Recv.List[0].Type
	if s, ok := e.(*ast.StarExpr); ok {
		e = s.X
	}
	if id, ok := e.(*ast.Ident); ok {
		return id.Name + "."
	}
	return "?."
}
