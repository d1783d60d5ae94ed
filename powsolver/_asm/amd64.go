package main

import (
	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
	"github.com/mmcloughlin/avo/reg"
)

// The amd64 files are made with avo, which checks operands, gives registers to
// variables and lays out arguments. Where things stand in the structures that the
// assembly reads is agreed by offset: the package's Go files do not compile when
// an offset moves.

// newFile begins a file that the tag purego leaves out.
func newFile() *build.Context {
	c := build.NewContext()
	c.ConstraintExpr("!purego")
	return c
}

// finish allocates registers and prints the file.
func finish(c *build.Context) ([]byte, error) {
	file, err := c.Result()
	if err != nil {
		return nil, err
	}
	if err := pass.Compile.Execute(file); err != nil {
		return nil, err
	}
	return printer.NewGoAsm(printer.Config{Name: "_asm", Argv: []string{"_asm"}, Pkg: "powsolver"}).Print(file)
}

// cpuid writes the instructions that tell what the CPU can do.
func cpuid() ([]byte, error) {
	c := newFile()
	c.Function("cpuid")
	c.Attributes(attr.NOSPLIT)
	c.Doc("cpuid asks the CPU what it can do.")
	c.SignatureExpr("func(leaf, sub uint32) (eax, ebx, ecx, edx uint32)")
	c.Load(c.Param("leaf"), reg.EAX)
	c.Load(c.Param("sub"), reg.ECX)
	c.CPUID()
	c.Store(reg.EAX, c.Return("eax"))
	c.Store(reg.EBX, c.Return("ebx"))
	c.Store(reg.ECX, c.Return("ecx"))
	c.Store(reg.EDX, c.Return("edx"))
	c.RET()
	return finish(c)
}

// at is the memory at an offset from a base.
func at(base reg.Register, offset int) operand.Mem {
	return operand.Mem{Base: base, Disp: offset}
}

// Truth tables of VPTERNLOG, whose index is 4·first + 2·second + third.
const (
	ternXor = operand.U8(0x96) // first ^ second ^ third
	ternCh  = operand.U8(0xca) // first&second | ^first&third
	ternMaj = operand.U8(0xe8) // at least two
	ternChi = operand.U8(0xd2) // first ^ ^second&third
)
