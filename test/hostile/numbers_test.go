package hostile_test

import (
	"slices"
	"strings"
)

// numbers are amounts and priorities, as numbers may and may not be written.
func numbers() []document {
	zeros := strings.Repeat("0", 1000)
	return slices.Concat(
		withMember("amount", "amount", y,
			"1", "0.01", "0.1", "12.50", "1e2", "1E2", "1e+2", "1E+2", "1e0", "1E-0", "100e-2", "1200E-2", "0.1e1",
			"0.0001e4", "1e00000000002", "999999999999.99", "99999999999999e-2",
		),
		withMember("amount with zeros at its end", "amount", i, "1.000", "12.50000", "1."+zeros, "10000"+zeros+"e-1000", "0.0100e0"),
		withMember("amount", "amount", x,
			"0", "-0", "0.0", "0e5", "0e-5", "-1", "-0.01", "-1e2", "0.001", "12.345", "1e-3", "1e12", "999999999999.991",
			"1000000000000", "1e400", "-1e400", "1e-400", "1e1000000000", "1e-1000000000", "1e99999999999999999999",
			"1e-99999999999999999999", "-1e99999999999999999999", "1"+zeros, "-1"+zeros, "0."+zeros+"1", "9223372036854775807",
			"9223372036854775808", "18446744073709551616", "-9223372036854775809", "1.7976931348623157e308", "1.8e308", "5e-324",
			strings.Repeat("9", 100_000), "1e"+strings.Repeat("9", 100_000), "0."+strings.Repeat("3", 100_000),
			`"12.5"`, `"1e2"`, "true", "null", "[12.5]", `{"amount":12.5}`, `""`, `"NaN"`,
		),
		withMember("no number", "amount", n,
			"-", "+", "+1", "++1", "--1", "-+1", "- 1", ".5", "-.5", "5.", "-5.", "1..2", "1.2.3", ".", "-.", "1.e1", ".e1", "0.e1",
			"1e", "1E", "1e+", "1e-", "1E+", "1ee2", "1eE2", "1e+-2", "1e1.5", "1e 2", "1 e2", "1. 5", "0.3e", "0.3e+", "9.e+",
			"01", "00", "-01", "-00", "00.5", "012.5", "1_000", "1,000.00", "1 000", "1'000", "0x10", "0x", "0xZ", "0b1", "0o7", "#1",
			"NaN", "-NaN", "nan", "Inf", "-Inf", "+Inf", "Infinity", "-Infinity", "infinity", "1f", "1d", "1L", "1n", "12.5m", "$1", "1%",
			"1/2", "1+1", "(1)", "'1'", "\u2212"+"1", "\uff11", "\u0661", "\u221e", "1\u0000", "1\x00\x00", "1\u00a0", "-foo", "-1x", "1a",
			"1,", ",1", "1;", "1:", "1]", "[1", "{1}", "", " ", "e5", "E", "1e٢",
		),
		withMember("priority", "priority", y, "1", "2", "3", " 3 "),
		withMember("priority in other words", "priority", i, "1.0", "1e0", "10e-1", "0.3e1"),
		withMember("priority", "priority", x, "0", "4", "-1", "1.5", "1e1", "1e99999999999", "null", "true", `"1"`, "[]", "-0",
			strings.Repeat("1", 10_000)),
		withMember("no priority", "priority", n, "01", "+1", "1.", "0x1", "1__"),
	)
}
