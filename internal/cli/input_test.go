package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// readEntries writes each entry as "line text" or "line error".
func readEntries(file io.Reader) (got []string, size int, err error) {
	from, err := newEntries(file)
	for err == nil {
		var e entry
		if e, err = from.next(); err != nil {
			break
		}
		text := string(e.text)
		if e.err != nil {
			text = e.err.Error()
		}
		got = append(got, fmt.Sprintf("%d %s", e.line, text))
		size += e.size
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return got, size, err
}

func TestEntries(t *testing.T) {
	t.Parallel()
	long := `{"notes":"` + strings.Repeat("x", maxOrderBytes) + `"}`
	fits := `{"notes":"` + strings.Repeat("x", maxOrderBytes-len(`{"notes":""}`)) + `"}`
	for _, tt := range []struct {
		name, file string
		want       []string
	}{
		{"nothing", "", nil},
		{"white space", " \r\n\t\n", nil},
		{"one object", `{"a":1}`, []string{`1 {"a":1}`}},
		{"one object a line", "{\"a\":1}\n{\"b\":[2]}\n", []string{`1 {"a":1}`, `2 {"b":[2]}`}},
		{"blank lines and CRLF", "\n\r\n {\"a\":1} \r\n\n{\"b\":2}", []string{`3 {"a":1}`, `5 {"b":2}`}},
		{"byte order mark", "\uFEFF{\"a\":1}", []string{`1 {"a":1}`}},
		{"bad lines between good ones", "nonsense\n{\"a\":1}\n{\"b\"\n\"}\n{\"c\":3}", []string{`1 nonsense`, `2 {"a":1}`, `3 {"b"`, `4 "}`, `5 {"c":3}`}},
		{"first line is cut off", "{\"a\":\n{\"b\":2}\n{\"c\":3}", []string{`1 {"a":`, `2 {"b":2}`, `3 {"c":3}`}},
		{"only line is cut off", `{"a":`, []string{`1 {"a":`}},
		{"line is too long", "{\"a\":1}\n" + long + "\n{\"b\":2}", []string{`1 {"a":1}`, `2 is longer than 256 KiB`, `3 {"b":2}`}},
		{"first line is too long", long + "\n{\"b\":2}", []string{`1 is longer than 256 KiB`, `2 {"b":2}`}},
		{"line just fits", "{\"a\":1}\n" + fits + "   \r\n", []string{`1 {"a":1}`, `2 ` + fits}},
		{"object over lines", "{\n\n  \"a\": 1\n}\n", []string{"1 {\n\n\"a\": 1\n}"}},
		{"objects over lines", "\n{ \"a\": [\n1, {}]\n}\n{\n\"b\": 2}{\"c\":3}", []string{"2 { \"a\": [\n1, {}]\n}", "5 {\n\"b\": 2}", `6 {"c":3}`}},
		{"array", `[{"a":1},{"b":"]},{\""}]`, []string{`1 {"a":1}`, `1 {"b":"]},{\""}`}},
		{"array over lines", "[\n {\"a\":1},\n {\n\"b\":2}\n]\n", []string{`2 {"a":1}`, "3 {\n\"b\":2}"}},
		{"empty array", " [ ] ", nil},
		{"array of other things", `[1, null,"x" , [2],{"a":1}]`, []string{`1 1`, `1 null`, `1 "x"`, `1 [2]`, `1 {"a":1}`}},
		{"bad member between good ones", "[{\"a\":1},\n{b},\n{\"c\":3}]", []string{`1 {"a":1}`, `2 {b}`, `3 {"c":3}`}},
		{"member is too long", "[" + long + ",\n{\"b\":2}]", []string{`1 is longer than 256 KiB`, `2 {"b":2}`}},
		{"comma is missing", `[{"a":1} {"b":2},{"c":3}]`, []string{`1 {"a":1}`, `1 ` + errComma.Error(), `1 {"c":3}`}},
		{"comma at the end", "[{\"a\":1},\n]", []string{`1 {"a":1}`, `2 ` + errComma.Error()}},
		{"comma at the beginning", `[,{"a":1}]`, []string{`1 ` + errComma.Error()}},
		{"array is not closed", "[{\"a\":1}\n", []string{`1 {"a":1}`, `2 ` + errNotClosed.Error()}},
		{"member is not closed", "[{\"a\":1},{\"b\"", []string{`1 {"a":1}`, `1 {"b"`, `1 ` + errNotClosed.Error()}},
		{"text after the array", "[{\"a\":1}]\n{\"b\":2}", []string{`1 {"a":1}`, `2 ` + errAfterArray.Error()}},
		{"bracket too many", "[{\"a\":1}]]", []string{`1 {"a":1}`, `1 ` + errAfterArray.Error()}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for how, file := range map[string]io.Reader{
				"at once": strings.NewReader(tt.file), "byte by byte": iotest.OneByteReader(strings.NewReader(tt.file)),
			} {
				got, size, err := readEntries(file)
				if err != nil {
					t.Fatalf("%s: %v", how, err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("%s: entries (-want +got):\n%.2000s", how, diff)
				}
				if size > len(tt.file)+1 { // a line end may be added
					t.Errorf("%s: entries took %d bytes of a file of %d", how, size, len(tt.file))
				}
			}
		})
	}
}

func TestEntriesPassReadErrorsOn(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, begin := range []string{"", "[", "[{", "{", "{\"a\":1}\n", "{\n\"a\":"} {
		_, _, err := readEntries(io.MultiReader(strings.NewReader(begin), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) {
			t.Errorf("after %q: %v", begin, err)
		}
	}
}

// TestEntriesOfAPipe holds readers to reading no further than they must.
func TestEntriesOfAPipe(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"{\"a\":1}\n", "[{\"a\":1}", "{\"a\":\n1}\n"} {
		r, w := io.Pipe()
		go func() { _, _ = io.WriteString(w, first) }()
		from, err := newEntries(r)
		if err != nil {
			t.Fatal(err)
		}
		if e, err := from.next(); err != nil || e.line != 1 || len(e.text) < len(`{"a":1}`) {
			t.Errorf("%q: %+v, %v", first, e, err)
		}
		_ = w.Close()
	}
}

func FuzzEntries(f *testing.F) {
	for _, seed := range []string{"", "{}\n{}", "[{},{}]", "{\n}", "[1 2", "]]", "[}{", "\"", "{\"a\":\n{}", "{\n0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file string) {
		got, size, err := readEntries(strings.NewReader(file))
		if errors.Is(err, errForm) {
			return
		}
		if err != nil || size > len(file)+1 || // a line end is added at the end
			len(got) > len(file)+1 {
			t.Errorf("%d entries of %d bytes: %v", len(got), size, err)
		}
	})
}
