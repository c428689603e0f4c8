package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// readEntries writes each entry as "line text" or "line error".
func readEntries(file io.Reader) (got []string, size int64, err error) {
	in, err := newSubmitInput(file)
	if err != nil {
		return nil, 0, err
	}
	return entriesOf(in)
}

// entriesOf does what readEntries does.
func entriesOf(in orderInput) (got []string, size int64, err error) {
	for err == nil {
		var e entry
		if e, err = in.next(); err != nil {
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

const (
	tooLongText = "is longer than 256 KiB"
	notJSONText = "is not valid JSON: "
)

func TestEntries(t *testing.T) {
	t.Parallel()
	long := `{"notes":"` + strings.Repeat("x", maxOrderBytes) + `"}`
	fits := `{"notes":"` + strings.Repeat("x", maxOrderBytes-len(`{"notes":""}`)) + `"}`
	longLines := "{\"b\":[\n" + strings.Repeat("\"x\",\n", maxOrderBytes/4) + "1]}"
	csv := make([]string, 50)
	for i := range csv {
		csv[i] = fmt.Sprintf("%d %v", i+1, errCSV)
	}
	for _, tt := range []struct {
		name, file string
		want       []string
		err        string
	}{
		{name: "nothing"},
		{name: "white space", file: " \r\n\t\n"},
		{name: "one object", file: `{"a":1}`, want: []string{`1 {"a":1}`}},
		{name: "one a line", file: "{\"a\":1}\n{\"b\":[2]}\n", want: []string{`1 {"a":1}`, `2 {"b":[2]}`}},
		{name: "blank lines and CRLF", file: "\n\r\n {\"a\":1} \r\n\n{\"b\":2}", want: []string{`3 {"a":1}`, `5 {"b":2}`}},
		{name: "byte order mark", file: "\uFEFF{\"a\":1}", want: []string{`1 {"a":1}`}},
		{name: "on one line", file: `{"a":1}{"b":2} {"c":{"d":"}{"}}`, want: []string{`1 {"a":1}`, `1 {"b":2}`, `1 {"c":{"d":"}{"}}`}},
		{
			name: "over lines", file: "\n{ \"a\": [\n1, {}]\n}\n{\n\"b\": 2}{\"c\":3}",
			want: []string{"2 { \"a\": [\n1, {}]\n}", "5 {\n\"b\": 2}", `6 {"c":3}`},
		},
		{name: "duplicate names and invalid UTF-8", file: "{\"a\":1,\"a\":\"\xff\"}", want: []string{"1 {\"a\":1,\"a\":\"\xff\"}"}},
		{
			name: "bad lines between good ones", file: "nonsense\n{\"a\":1}\n{\"b\"\n\"}\n{\"c\":3}\n12\n",
			want: []string{
				`1 ` + notJSONText + `invalid character 'o' in literal null (expecting 'u')`, `2 {"a":1}`,
				`3 ` + notJSONText + `invalid character '"' after object name (expecting ':')`, `5 {"c":3}`, `6 is not a JSON object`,
			},
		},
		{
			name: "cut off", file: "{\"a\":\n{\"b\":2}\n{\"c\":\"3\n{\"d\":4}\n{\"e\":",
			want: []string{
				`1 ` + notJSONText + `invalid character '{' after object value (expecting ',' or '}')`, `2 {"b":2}`,
				`3 ` + notJSONText + `invalid character '\n' in string (expecting non-control character)`, `4 {"d":4}`,
				`5 ` + notJSONText + `unexpected EOF`,
			},
		},
		{
			name: "a mistake over lines", file: "{\n\"a\": x\n}\n{\n\"b\":2\n}",
			want: []string{`1 ` + notJSONText + `invalid character 'x' at start of value`, "4 {\n\"b\":2\n}"},
		},
		{name: "text behind an object", file: "{\"a\":1}x\n{\"b\":2}", want: []string{`1 {"a":1}`, `1 ` + notJSONText + `invalid character 'x' at start of value`, `2 {"b":2}`}},
		{name: "commas between", file: "{\"a\":1},\n{\"b\":2},", want: []string{`1 {"a":1}`, `1 ` + errCommas.Error(), `2 {"b":2}`, `2 ` + errCommas.Error()}},
		{name: "CSV", file: strings.Repeat("o1;12.50\n", len(csv)-1) + "id,amount\n", want: csv},
		{name: "a long mistake", file: "x" + long + long + "\n{\"a\":1}", want: []string{`1 ` + notJSONText + `invalid character 'x' at start of value`, `2 {"a":1}`}},
		{name: "markup", file: "<orders>\n</orders>\n", want: []string{`1 ` + errMarkup.Error(), `2 ` + errMarkup.Error()}},
		{name: "an array between", file: "{\"a\":1}\n[{\"b\":2}]\n{\"c\":3}", want: []string{`1 {"a":1}`, `2 ` + errArray.Error(), `3 {"c":3}`}},
		{name: "a line is too long", file: "{\"a\":1}\n" + long + "\n{\"b\":2}", want: []string{`1 {"a":1}`, `2 ` + tooLongText, `3 {"b":2}`}},
		{name: "lines are too long", file: longLines + "\n{\"c\":3}", want: []string{`1 ` + tooLongText, fmt.Sprint(3+maxOrderBytes/4, ` {"c":3}`)}},
		{name: "too long and a mistake", file: long[:len(long)-1] + "," + long[1:len(long)-1] + "]\n{\"b\":2}", want: []string{`1 ` + tooLongText, `2 {"b":2}`}},
		{name: "a line just fits", file: "{\"a\":1}\n" + fits + "   \r\n", want: []string{`1 {"a":1}`, `2 ` + fits}},

		{name: "array", file: `[{"a":1},{"b":"]},{\""}]`, want: []string{`1 {"a":1}`, `1 {"b":"]},{\""}`}},
		{name: "array over lines", file: "[\n {\"a\":1},\n {\n\"b\":2}\n]\n", want: []string{`2 {"a":1}`, "3 {\n\"b\":2}"}},
		{name: "empty array", file: " [ ] "},
		{name: "array of other things", file: `[1, null,[2],{"a":1}]`, want: []string{`1 is not a JSON object`, `1 is not a JSON object`, `1 ` + errArray.Error(), `1 {"a":1}`}},
		{name: "member is too long", file: "[" + long + ",\n{\"b\":2}]", want: []string{`1 ` + tooLongText, `2 {"b":2}`}},
		{name: "bad member", file: "[{\"a\":1},\n{b},\n{\"c\":3}]", want: []string{`1 {"a":1}`}, err: `line 2: the array is not valid JSON: invalid character 'b'`},
		{name: "comma is missing", file: `[{"a":1} {"b":2}]`, want: []string{`1 {"a":1}`}, err: `line 1: the array is not valid JSON`},
		{name: "comma at the end", file: "[{\"a\":1},\n]", want: []string{`1 {"a":1}`}, err: `line 1: the array is not valid JSON: invalid character ','`},
		{name: "array is not closed", file: "[{\"a\":1}\n", want: []string{`1 {"a":1}`}, err: `the array is not valid JSON: unexpected EOF`},
		{name: "text after the array", file: "[{\"a\":1}]\n{\"b\":2}", want: []string{`1 {"a":1}`, `2 ` + errAfterArray.Error()}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for how, file := range map[string]io.Reader{
				"at once": strings.NewReader(tt.file), "byte by byte": iotest.OneByteReader(strings.NewReader(tt.file)),
			} {
				got, size, err := readEntries(file)
				if (tt.err == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("%s: %v", how, err)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("%s: entries (-want +got):\n%.2000s", how, diff)
				}
				if size > int64(len(tt.file)) {
					t.Errorf("%s: entries have %d bytes of a file of %d", how, size, len(tt.file))
				}
			}
		})
	}
}

func TestEntriesReturnReadErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, begin := range []string{"", "[", "[{", "{", "{\"a\":1}\n", "{\n\"a\":", "x"} {
		if _, _, err := readEntries(io.MultiReader(strings.NewReader(begin), iotest.ErrReader(broken))); !errors.Is(err, broken) {
			t.Errorf("after %q: %v", begin, err)
		}
	}
}

// TestEntriesOfAPipe checks that no more is read than is needed.
func TestEntriesOfAPipe(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"{\"a\":1}\n", "[{\"a\":1}", "{\"a\":\n1}\n", "{\"a\":1}"} {
		r, w := io.Pipe()
		go func() { _, _ = io.WriteString(w, first) }()
		in, err := newSubmitInput(r)
		if err != nil {
			t.Fatal(err)
		}
		if e, err := in.next(); err != nil || e.line != 1 || len(e.text) < len(`{"a":1}`) {
			t.Errorf("%q: %+v, %v", first, e, err)
		}
		_ = w.Close()
	}
}

func FuzzEntries(f *testing.F) {
	for _, seed := range []string{"", "{}\n{}", "[{},{}]", "{\n}", "[1 2", "]]", "[}{", "\"", "{\"a\":\n{}", "{\n0", "[]]\n{}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file string) {
		got, size, err := readEntries(strings.NewReader(file))
		if size > int64(len(file)) || len(got) > len(file)+1 ||
			err != nil && !errors.Is(err, errFormat) && !errors.Is(err, errNotJSON) {
			t.Errorf("%d entries of %d bytes: %v", len(got), size, err)
		}
	})
}

// wide is a text in UTF-16.
func wide(text string, bigEndian bool) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		if bigEndian {
			unit = unit<<8 | unit>>8
		}
		b.Write([]byte{byte(unit), byte(unit >> 8)})
	}
	return b.String()
}

// TestOtherFormats checks that a file that is no JSON is one error, which names the
// format.
func TestOtherFormats(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"\x1f\x8b\x08": "gzip", "PK\x03\x04\x14\x00": ".xlsx", "\x28\xb5\x2f\xfd\x04\x58": "zstd", "BZh91AY&SY": "bzip2",
		"\xfd7zXZ\x00\x00": "xz", "\xd0\xcf\x11\xe0\xa1": ".xls", "PAR1\x15": "Parquet",
		wide("\ufeff{}", false): "UTF-16", wide("\ufeff{}", true): "UTF-16", wide("[{}]", false): "UTF-16", wide("{}", true): "UTF-16",
		wide("\r\n {}", false): "UTF-16", wide("\r\n {}", true): "UTF-16", wide("id,amount\n", false): "UTF-16",
		"\xff\xfe\x00\x00{\x00\x00\x00": "UTF-32", "\x00\x00\xfe\xff\x00\x00\x00{": "UTF-32",
	} {
		got, _, err := readEntries(iotest.OneByteReader(strings.NewReader(file)))
		if !errors.Is(err, errFormat) || len(got) != 0 || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q, %v", file, got, err)
		}
	}
	for _, text := range []string{"P", "BZ", "{", "[", "\x28\xb5", "PARis", "1", "\ufeff{}"} {
		if _, _, err := readEntries(strings.NewReader(text)); errors.Is(err, errFormat) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text, want string // ID stands for a new one
		made             bool
	}{
		{"no id", `{"amount": 12.50,"items":[]}`, `{"id":"ID","amount": 12.50,"items":[]}`, true},
		{"nothing at all", `{ }`, `{"id":"ID" }`, true},
		{"an amount no float can hold", `{"amount":999999999999.990}`, `{"id":"ID","amount":999999999999.990}`, true},
		{"an id", `{"amount":1e2, "id" : "mine"}`, `{"amount":1e2, "id" : "mine"}`, false},
		{"an empty id", `{"amount":1, "id" : "" , "a":2}`, `{"amount":1, "id" : "ID" , "a":2}`, true},
		{"another case is unknown to the API", `{"ID":"x"}`, `{"id":"ID","ID":"x"}`, true},
		{"an inner id", `{"items":[{"id":"x"}]}`, `{"id":"ID","items":[{"id":"x"}]}`, true},
		{"an escaped name", `{"\u0069d":"mine"}`, `{"\u0069d":"mine"}`, false},
		{"an id of another type", `{"id":null}`, `{"id":null}`, false},
		{"the API is to see duplicates", `{"a":1,"a":2}`, `{"id":"ID","a":1,"a":2}`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o, err := identify([]byte(tt.text))
			if err != nil || o.made != tt.made {
				t.Fatalf("made %v, %v", o.made, err)
			}
			got := string(o.body)
			switch {
			case o.made:
				if u, err := uuid.Parse(o.id); err != nil || u.Version() != 7 {
					t.Errorf("id %q is no UUIDv7", o.id)
				}
				got = strings.Replace(got, o.id, "ID", 1)
			case strings.Contains(tt.text, "mine") && o.id != "mine":
				t.Errorf("id %q", o.id)
			}
			if got != tt.want {
				t.Errorf("body %s, want %s", got, tt.want)
			}
		})
	}
}
