package cli

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

// in16 is a text in UTF-16.
func in16(text string, big bool) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		if big {
			unit = unit<<8 | unit>>8
		}
		b.Write([]byte{byte(unit), byte(unit >> 8)})
	}
	return b.String()
}

// TestInputNamesTheCause holds that a file of another form than JSON is one error, which
// says what it is and what to do.
func TestInputNamesTheCause(t *testing.T) {
	t.Parallel()
	const orders = "{\"id\":\"a\"}\r\n{\"id\":\"b\"}\r\n"
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, _ = w.Write([]byte(orders))
	_ = w.Close()
	for name, row := range map[string]struct{ file, says string }{
		"UTF-16 with a mark":              {in16("\ufeff"+orders, false), "UTF-16"},
		"UTF-16 the other way round":      {in16("\ufeff"+orders, true), "UTF-16"},
		"UTF-16 without a mark":           {in16(orders, false), "UTF-16"},
		"the same the other way round":    {in16(orders, true), "UTF-16"},
		"UTF-16 of an array":              {in16("["+orders+"]", false), "UTF-16"},
		"UTF-16 behind blank lines":       {in16("\r\n \n"+orders, false), "UTF-16"},
		"blank lines the other way round": {in16("\r\n \n"+orders, true), "UTF-16"},
		"UTF-16 of a table":               {in16("id,amount\n", false), "UTF-16"},
		"UTF-32":                          {"\xff\xfe\x00\x00{\x00\x00\x00", "UTF-32"},
		"UTF-32 the other way round":      {"\x00\x00\xfe\xff\x00\x00\x00{", "UTF-32"},
		"gzip":                            {zipped.String(), "gzip"},
		"zip or a workbook":               {"PK\x03\x04\x14\x00\x06\x00", ".xlsx"},
		"an empty archive":                {"PK\x05\x06\x00\x00", "ZIP"},
		"zstd":                            {"\x28\xb5\x2f\xfd\x04\x58", "zstd"},
		"bzip2":                           {"BZh91AY&SY", "bzip2"},
		"xz":                              {"\xfd7zXZ\x00\x00", "xz"},
		"an older workbook":               {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".xls"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _, err := readEntries(iotest.OneByteReader(strings.NewReader(row.file)))
			if err == nil || len(got) != 0 || !strings.Contains(err.Error(), row.says) || !strings.Contains(err.Error(), "the input ") {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	for _, text := range []string{"P", "BZ", "{", "[", "\x28\xb5", "PARis", "1", "\ufeff{}"} {
		if _, _, err := readEntries(strings.NewReader(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestEntriesOneAfterTheOther holds that objects are read wherever they begin, and that a
// mistake spoils no more than it must.
func TestEntriesOneAfterTheOther(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("\"x\",\n", maxOrderBytes/4)
	for _, tt := range []struct {
		name, file string
		want       []string
	}{
		{"on one line", `{"a":1}{"b":2} {"c":{"d":"}{"}}`, []string{`1 {"a":1}`, `1 {"b":2}`, `1 {"c":{"d":"}{"}}`}},
		{"on the second line", "{\"a\":1}\n{\"b\":2}{\"c\":3}\n{\"d\":4}", []string{`1 {"a":1}`, `2 {"b":2}`, `2 {"c":3}`, `3 {"d":4}`}},
		{"over lines behind one on a line", "{\"a\":1}\n{\n\"b\":2\n}\n{\"c\":3}", []string{`1 {"a":1}`, "2 {\n\"b\":2\n}", `5 {"c":3}`}},
		{"over lines, one ends where the next begins", "{\n\"a\":1\n}{\n\"b\":2\n}{\"c\":3}{\n}\n", []string{"1 {\n\"a\":1\n}", "3 {\n\"b\":2\n}", `5 {"c":3}`, "5 {\n}"}},
		{"begun behind others", "{\"a\":1}{\"b\":2}{\n\"c\":3}", []string{`1 {"a":1}`, `1 {"b":2}`, "1 {\n\"c\":3}"}},
		{"an object within an object on a line of its own", "{\"a\":1}\n{\n\"b\": [\n{\"c\":3}\n]\n}\n", []string{`1 {"a":1}`, "2 {\n\"b\": [\n{\"c\":3}\n]\n}"}},
		{"a mistake over lines", "{\n\"a\": x\n}\n{\n\"b\":2\n}", []string{"1 {\n\"a\": x\n}", "4 {\n\"b\":2\n}"}},
		{"a mistake beside another", `{"a":x}{"b":2}`, []string{`1 {"a":x}`, `1 {"b":2}`}},
		{"a line that was cut off in the middle", "{\"a\":1}\n{\"b\":\n{\"c\":3}\n{\"d\":4}", []string{`1 {"a":1}`, `2 {"b":`, `3 {"c":3}`, `4 {"d":4}`}},
		{"cut off behind another", "{\"a\":1}{\"b\":\n{\"c\":3}", []string{`1 {"a":1}`, `1 {"b":`, `2 {"c":3}`}},
		{"cut off in a string", "{\"a\":\"1\n{\"b\":\"2\"}\n{\"c\":\"3\"}", []string{`1 {"a":"1`, `2 {"b":"2"}`, `3 {"c":"3"}`}},
		{"something else behind an object", `{"a":1}x`, []string{`1 {"a":1}x`}},
		{"something else behind an object over lines", "{\n\"a\":1\n}x\n{\"b\":2}", []string{"1 {\n\"a\":1\n}x", `4 {"b":2}`}},
		{"commas between", `{"a":1},{"b":2}`, []string{`1 {"a":1},{"b":2}`}},
		{"commas between over lines", "{\n\"a\":1\n},\n{\n\"b\":2\n}", []string{"1 {\n\"a\":1\n},", "4 {\n\"b\":2\n}"}},
		{"too long over lines", "{\"a\":1}\n{\"b\":[\n" + long + "1]}\n{\"c\":3}", []string{`1 {"a":1}`, `2 is longer than 256 KiB`, fmtLine(4+maxOrderBytes/4, `{"c":3}`)}},
		{"an array between", "{\"a\":1}\n[{\"b\":2}]\n{\"c\":3}", []string{`1 {"a":1}`, `2 [{"b":2}]`, `3 {"c":3}`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, size, err := readEntries(strings.NewReader(tt.file))
			if err != nil || size > len(tt.file)+1 {
				t.Fatalf("%d bytes of %d: %v", size, len(tt.file), err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("entries (-want +got):\n%.2000s", diff)
			}
		})
	}
}

// TestMistakesNameTheirCause holds what is said of a line that is no order.
func TestMistakesNameTheirCause(t *testing.T) {
	t.Parallel()
	for line, says := range map[string]string{
		`[{"id":"a"}]`:             "is a JSON array, and",
		`[[{"id":"a"}],2]`:         "is a JSON array, and",
		`[]`:                       "is not a JSON object",
		`12`:                       "is not a JSON object",
		`id,amount,items`:          "CSV",
		`"id";"amount"`:            "CSV",
		"o1\t12.50\ttea":           "CSV",
		`o1,12.50,"tea, and milk"`: "CSV",
		`<orders><order/>`:         "XML",
		`{"a":1},{"b":2}`:          "commas between objects",
		`{"a":1}, {"b":2},`:        "commas between objects",
		`{"a":1},`:                 "commas between objects",
		`{"a":1}x`:                 "is not valid JSON",
		`{"a":`:                    "unexpected end of JSON input",
		`"a": 1,`:                  "is not valid JSON\ninvalid character",
		`nonsense`:                 "is not valid JSON\ninvalid character",
		`}`:                        "is not valid JSON\ninvalid character",
	} {
		if _, _, _, err := identify([]byte(line)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", line, err, says)
		}
	}
}

func fmtLine(n int, text string) string { return fmt.Sprintf("%d %s", n, text) }
