// Package arch holds the architecture as a test: which package may import
// which, and what no package may do. It reads the sources itself; a test that
// asked the go command would be cached and pass when it should not.
package arch

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "github.com/taoctl/taoctl"
	root   = "../.."
)

// source is one parsed file.
type source struct {
	pkg  string // its row in the table
	name string // file below the root
	test bool   // *_test.go
	ast  *ast.File
}

// load parses every Go file of the module, whatever its build tags.
func load(t *testing.T) (*token.FileSet, []source) {
	t.Helper()
	set := token.NewFileSet()
	var files []source
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != root && foreign(p, d.Name()):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(p, ".go"):
			return nil
		}
		f, err := parser.ParseFile(set, p, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(filepath.ToSlash(p), root+"/")
		files = append(files, source{row(path.Dir(name)), name, strings.HasSuffix(name, "_test.go"), f})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("found %d files below %s: the walk is broken", len(files), root)
	}
	return set, files
}

// row returns the row for a folder: its own name, but all of e2e is one.
func row(dir string) string {
	if strings.HasPrefix(dir, "e2e/") {
		return "e2e"
	}
	return dir
}

// foreign reports whether a folder is none of this module's: a module of its
// own, test data, or one that the go command ignores.
func foreign(dir, name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "node_modules" {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func imports(f *ast.File) []string {
	var all []string
	for _, i := range f.Imports {
		if p, err := strconv.Unquote(i.Path.Value); err == nil {
			all = append(all, p)
		}
	}
	return all
}

// TestPackages compares the table with the tree, in both directions.
func TestPackages(t *testing.T) {
	_, files := load(t)
	found := map[string]bool{}
	for _, f := range files {
		found[f.pkg] = true
		if _, ok := packages[f.pkg]; !ok {
			t.Errorf("%s: package %s has no row in internal/arch and docs/design.md", f.name, f.pkg)
		}
	}
	for p := range packages {
		if !found[p] {
			t.Errorf("package %s has a row and no files", p)
		}
	}
}

// TestDesignPage checks that the table for people names the same packages.
func TestDesignPage(t *testing.T) {
	page, err := os.ReadFile(root + "/docs/design.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "\n## Packages\n")
	table, _, _ = strings.Cut(table, "\n## ")
	named := map[string]bool{}
	for row := range strings.SplitSeq(table, "\n") {
		cells := strings.Split(row, "|")
		if len(cells) < 3 {
			continue
		}
		for i, word := range strings.Split(cells[1], "`") {
			if i%2 == 1 {
				named[word] = true
			}
		}
	}
	for p := range packages {
		if !named[p] {
			t.Errorf("docs/design.md has no row for %s", p)
		}
	}
	for p := range named {
		if _, ok := packages[p]; !ok {
			t.Errorf("docs/design.md names %s, internal/arch does not", p)
		}
	}
}

// TestImports checks what files that are no tests import.
func TestImports(t *testing.T) {
	_, files := load(t)
	used := map[string]bool{}
	for _, f := range files {
		if f.test {
			markTestOnly(f, used)
			continue
		}
		for _, p := range imports(f.ast) {
			if own, ok := strings.CutPrefix(p, module+"/"); ok {
				checkOwn(t, f, row(own))
				continue
			}
			checkOutside(t, f, p, used)
		}
	}
	for p := range libraries {
		if !used[p] {
			t.Errorf("no file imports %s: its row must go", p)
		}
	}
}

// markTestOnly notes libraries for tests alone, which tests alone may import.
func markTestOnly(f source, used map[string]bool) {
	for _, p := range imports(f.ast) {
		if rule, ok := libraries[p]; ok && rule.by == nil {
			used[p] = true
		}
	}
}

func checkOwn(t *testing.T, f source, own string) {
	t.Helper()
	rule := packages[f.pkg]
	if packages[own].test && !rule.test {
		t.Errorf("%s imports %s, which is for tests only", f.name, own)
	}
	if own != f.pkg && !slices.Contains(rule.may, own) && !slices.Contains(rule.may, "*") {
		t.Errorf("%s imports %s: %s", f.name, own, rule.why)
	}
}

// TestPrograms checks what the two programs are made of. taoctl holds keys and is
// static, so it loads nobody's libraries; taoctl-opencl loads them, so it holds no
// key and reaches no network.
func TestPrograms(t *testing.T) {
	_, files := load(t)
	wallet, drivers := reached(files, "cmd/taoctl"), reached(files, "cmd/taoctl-opencl")
	const purego = "github.com/ebitengine/purego"
	for p := range wallet {
		if p == module+"/powsolver/opencl" || p == purego || strings.HasPrefix(p, purego+"/") {
			t.Errorf("cmd/taoctl reaches %s, which would make it dynamic and load drivers of strangers beside its keys", p)
		}
	}
	for p := range drivers {
		own, ours := strings.CutPrefix(p, module+"/")
		if ours && own != "powsolver" && own != "cmd/taoctl-opencl" && !strings.HasPrefix(own, "powsolver/") || p == "net" || p == "net/http" {
			t.Errorf("cmd/taoctl-opencl reaches %s: in the process of drivers there may be no key and no network", p)
		}
	}
	// What is known to be there is found, or the search is broken.
	if !wallet[module+"/keystore"] || !wallet["golang.org/x/crypto/blake2b"] || !drivers[module+"/powsolver/opencl"] || !drivers[purego] {
		t.Error("the search for what a program reaches is broken")
	}
}

// reached returns all that a package of ours imports, directly or through other
// packages of ours, by import path.
func reached(files []source, p string) map[string]bool {
	all := map[string]bool{module + "/" + p: true}
	for grown := true; grown; {
		grown = false
		for _, f := range files {
			if f.test || !all[module+"/"+path.Dir(f.name)] {
				continue
			}
			for _, i := range imports(f.ast) {
				grown = grown || !all[i]
				all[i] = true
			}
		}
	}
	return all
}

// allows reports whether a package may use the library. Tests may use any.
func (l library) allows(p string) bool {
	return packages[p].test || slices.Contains(l.by, p)
}

func checkOutside(t *testing.T, f source, p string, used map[string]bool) {
	t.Helper()
	if rule, ok := standard[p]; ok && !rule.allows(f.pkg) {
		t.Errorf("%s imports %s: %s", f.name, p, rule.why)
	}
	if first, _, _ := strings.Cut(p, "/"); !strings.Contains(first, ".") {
		return // the standard library
	}
	for prefix, rule := range libraries {
		if p != prefix && !strings.HasPrefix(p, prefix+"/") {
			continue
		}
		used[prefix] = true
		if !rule.allows(f.pkg) {
			t.Errorf("%s imports %s: %s", f.name, p, rule.why)
		}
		return
	}
	t.Errorf("%s imports %s, which has no row in internal/arch and docs/dependencies.md", f.name, p)
}

// TestComments checks that every package says what it is for.
func TestComments(t *testing.T) {
	_, files := load(t)
	comments, programs := map[string]string{}, map[string]bool{}
	for _, f := range files {
		programs[f.pkg] = programs[f.pkg] || f.ast.Name.Name == "main"
		if f.ast.Doc != nil && path.Dir(f.name) == f.pkg && !strings.HasSuffix(f.ast.Name.Name, "_test") {
			comments[f.pkg] += f.ast.Doc.Text()
		}
	}
	for p := range packages {
		if want := "Package " + path.Base(p) + " "; !strings.HasPrefix(comments[p], want) && !programs[p] {
			t.Errorf("the comment of package %s does not begin with %q", p, want)
		}
		if comments[p] == "" {
			t.Errorf("package %s has no comment", p)
		}
	}
}

// TestSources checks what no code may do: init functions, dot imports, names
// that few may use, floating point where amounts are computed.
func TestSources(t *testing.T) {
	set, files := load(t)
	for _, f := range files {
		if f.test {
			continue
		}
		floats := slices.Contains(noFloats, f.pkg)
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Name.Name == "init" && n.Recv == nil {
					t.Errorf("%s: an init function runs unasked, before main", set.Position(n.Pos()))
				}
			case *ast.ImportSpec:
				if n.Name != nil && n.Name.Name == "." {
					t.Errorf("%s: a dot import hides where names come from", set.Position(n.Pos()))
				}
			case *ast.SelectorExpr:
				checkName(t, set, f, n)
			case *ast.CaseClause:
				return !isRefusal(n)
			case *ast.Ident:
				if floats && (n.Name == "float64" || n.Name == "float32") {
					t.Errorf("%s: %s near money", set.Position(n.Pos()), n.Name)
				}
			}
			return true
		})
	}
}

// isRefusal reports whether a case names floating point types only to give an
// error for them.
func isRefusal(c *ast.CaseClause) bool {
	if len(c.List) == 0 || len(c.Body) != 1 {
		return false
	}
	for _, e := range c.List {
		if id, ok := e.(*ast.Ident); !ok || !strings.HasPrefix(id.Name, "float") {
			return false
		}
	}
	_, ok := c.Body[0].(*ast.ReturnStmt)
	return ok
}

func checkName(t *testing.T, set *token.FileSet, f source, s *ast.SelectorExpr) {
	t.Helper()
	x, ok := s.X.(*ast.Ident)
	if !ok || !slices.Contains(imports(f.ast), x.Name) {
		return
	}
	name := x.Name + "." + s.Sel.Name
	if rule, ok := names[name]; ok && !rule.allows(f.pkg) {
		t.Errorf("%s: %s: %s", set.Position(s.Pos()), name, rule.why)
	}
}

// TestVariables checks that no package variable changes after it has its value.
// Errors, tables and compiled expressions are values; a variable that any
// function assigns, takes the address of, or that holds a lock, is state.
func TestVariables(t *testing.T) {
	set, files := load(t)
	byPackage := map[string][]*ast.File{}
	for _, f := range files {
		if !f.test && !packages[f.pkg].test {
			byPackage[f.pkg] = append(byPackage[f.pkg], f.ast)
		}
	}
	used := map[string]bool{}
	for _, p := range slices.Sorted(maps.Keys(byPackage)) {
		v := variables{info: resolve(set, p, byPackage[p])}
		for _, f := range byPackage[p] {
			ast.Inspect(f, v.visit)
		}
		for _, found := range v.found {
			key := p + "." + found.name
			used[key] = true
			if _, ok := changing[key]; !ok {
				t.Errorf("%s: package variable %s %s", set.Position(found.at), found.name, found.how)
			}
		}
	}
	for key := range changing {
		if !used[key] {
			t.Errorf("%s has an exception and does not need it", key)
		}
	}
}

// resolve finds out which name means which variable. Packages from outside stay
// unknown, and what is wrong because of it is of no interest.
func resolve(set *token.FileSet, p string, files []*ast.File) *types.Info {
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	// Files of other systems declare names again; the first of each is enough.
	conf := types.Config{Importer: nowhere{importer.Default()}, Error: func(error) {}, FakeImportC: true}
	_, _ = conf.Check(p, set, files, info)
	return info
}

// nowhere imports nothing.
type nowhere struct{ types.Importer }

func (nowhere) Import(p string) (*types.Package, error) {
	pkg := types.NewPackage(p, path.Base(p))
	pkg.MarkComplete()
	return pkg, nil
}

// variables collects changes of package variables.
type variables struct {
	info  *types.Info
	found []change
}

type change struct {
	name, how string
	at        token.Pos
}

func (v *variables) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.AssignStmt:
		for _, left := range n.Lhs {
			v.report(left, "is assigned")
		}
	case *ast.IncDecStmt:
		v.report(n.X, "is counted")
	case *ast.RangeStmt:
		v.report(n.Key, "is assigned")
		v.report(n.Value, "is assigned")
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			v.report(n.X, "has its address taken")
		}
	case *ast.ValueSpec:
		v.spec(n)
	}
	return true
}

// report notes a change of x, if x is a package variable or a part of one.
func (v *variables) report(x ast.Expr, how string) {
	for {
		switch inner := x.(type) {
		case *ast.IndexExpr:
			x = inner.X
		case *ast.SelectorExpr:
			x = inner.X
		case *ast.ParenExpr:
			x = inner.X
		case *ast.StarExpr:
			x = inner.X
		case *ast.Ident:
			if isGlobal(v.info.Uses[inner]) {
				v.found = append(v.found, change{inner.Name, how, inner.Pos()})
			}
			return
		default:
			return
		}
	}
}

func isGlobal(o types.Object) bool {
	variable, ok := o.(*types.Var)
	return ok && variable.Pkg() != nil && variable.Parent() == variable.Pkg().Scope()
}

// spec notes package variables that hold a lock, a cache or a counter.
func (v *variables) spec(n *ast.ValueSpec) {
	for _, name := range n.Names {
		if isGlobal(v.info.Defs[name]) && (holdsState(n.Type) || slices.ContainsFunc(n.Values, makesState)) {
			v.found = append(v.found, change{name.Name, "holds state", name.Pos()})
		}
	}
}

// makesState reports whether a variable's first value is made to be changed.
func makesState(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.CompositeLit:
		return holdsState(e.Type)
	case *ast.UnaryExpr:
		return makesState(e.X)
	case *ast.CallExpr:
		f, ok := e.Fun.(*ast.Ident)
		return ok && (f.Name == "make" || f.Name == "new")
	}
	return false
}

func holdsState(t ast.Expr) bool {
	s, ok := t.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && (x.Name == "sync" || x.Name == "atomic")
}

// TestFindsChanges proves that the check of variables can fail.
func TestFindsChanges(t *testing.T) {
	const code = `package p
import "sync"
var (
	table = map[string]int{"a": 1}
	counter int
	list []int
	lock sync.Mutex
	once = &sync.Once{}
	cache = make(map[string]int)
	fine = []string{"x"}
	point struct{ x int }
)
func f(table2 map[string]int) {
	fine := 1
	fine = 2
	table["b"] = 2
	counter++
	list = append(list, fine)
	point.x = 1
	g(&counter)
	for counter = range 3 {}
}
func g(*int) {}
`
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, "p.go", code, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	v := variables{info: resolve(set, "p", []*ast.File{f})}
	ast.Inspect(f, v.visit)
	var got []string
	for _, c := range v.found {
		got = append(got, c.name+" "+c.how)
	}
	slices.Sort(got)
	want := []string{
		"cache holds state", "counter has its address taken", "counter is assigned", "counter is counted",
		"list is assigned", "lock holds state", "once holds state", "point is assigned", "table is assigned",
	}
	if !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

// TestDependenciesPage compares docs/dependencies.md with go.mod: every module
// of the table of libraries has its row there, with the version that is used.
func TestDependenciesPage(t *testing.T) {
	page, err := os.ReadFile(root + "/docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(root + "/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	versions := map[string]string{}
	for line := range strings.SplitSeq(string(mod), "\n") {
		if words := strings.Fields(strings.TrimPrefix(line, "require ")); len(words) >= 2 {
			versions[words[0]] = words[1]
		}
	}
	for m := range libraries {
		if row := "| " + m + " | " + versions[m] + " |"; !strings.Contains(string(page), row) {
			t.Errorf("docs/dependencies.md has no row %q", row)
		}
	}
	for line := range strings.SplitSeq(string(page), "\n") {
		cells := strings.Split(line, " | ")
		if m, ok := strings.CutPrefix(cells[0], "| "); ok && strings.Contains(m, "/") {
			if _, ok := libraries[m]; !ok {
				t.Errorf("docs/dependencies.md has a row for %s, which nothing imports", m)
			}
		}
	}
}
