package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/go-json-experiment/json/jsontext"
)

var (
	errNotJSON = errors.New("is not valid JSON")
	errCommas  = fmt.Errorf("%w: there are commas between objects; put each on a line of its own without them, or all in [ and ]", errNotJSON)
	errCSV     = fmt.Errorf("%w: it looks like CSV; give the file a name that ends in .csv, or say --format csv", errNotJSON)
	errMarkup  = fmt.Errorf("%w: it looks like XML or HTML; write each order as a JSON object", errNotJSON)
	// errFormat begins the error of a file in another format.
	errFormat = errors.New("the input")
)

// resume returns an entry for what could not be decoded, and goes on after it. A
// mistake between the elements of an array ends the reading.
func (r *submitInput) resume(err error) (entry, error) {
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, errTooLong):
		return r.tooLong()
	case errors.As(err, &syntax) && r.array:
		line := r.line(int(syntax.ByteOffset - r.dec.InputOffset()))
		return entry{}, fmt.Errorf("line %d: the array %w: %w", line, errNotJSON, syntax.Err)
	case errors.As(err, &syntax):
		return r.mistake(syntax.Err)
	default:
		return entry{}, err
	}
}

// tooLong skips a value that is too long.
func (r *submitInput) tooLong() (e entry, err error) {
	line := r.line(r.blanks())
	r.file.budget = math.MaxInt64
	if err = r.dec.SkipValue(); err != nil {
		e, err = r.mistake(err)
	}
	e.line, e.err = line, errTooLong
	return r.measured(e), err
}

// mistake returns an entry for text that is not JSON, and skips the rest of its
// line. If the text begins an object, all lines are skipped up to one that begins
// with a brace: an object over several lines is one mistake.
func (r *submitInput) mistake(cause error) (entry, error) {
	e := entry{line: r.line(r.blanks())}
	r.file.unread(r.dec.UnreadBuffer()[r.blanks():])
	r.file.budget = math.MaxInt64
	in := bufio.NewReaderSize(r.file, maxExcerpt)
	text, err := skipLine(in)
	for err == nil && bytes.HasPrefix(text, []byte("{")) {
		var next []byte
		if next, err = in.Peek(1); err == nil && next[0] == '{' {
			break
		}
		_, err = skipLine(in)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return entry{}, err
	}
	e.err = explain(text, cause)
	ahead, _ := in.Peek(in.Buffered())
	r.file.unread(ahead)
	r.dec = newDecoder(r.file)
	return r.measured(e), nil
}

// skipLine reads to the end of the line and returns its beginning.
func skipLine(in *bufio.Reader) (begin []byte, err error) {
	line, more, err := in.ReadLine()
	begin = bytes.TrimSpace(bytes.Clone(line))
	for more && err == nil {
		_, more, err = in.ReadLine()
	}
	return begin, err
}

// explain is the error for a line that is not JSON.
func explain(line []byte, cause error) error {
	csv := len(line) > 0 && !bytes.ContainsAny(line, "{}[]\x00") && !bytes.Contains(line, []byte("\":")) &&
		bytes.ContainsAny(line[:len(line)-1], ",;\t|")
	switch {
	case bytes.HasPrefix(line, []byte(",")):
		return errCommas
	case bytes.HasPrefix(line, []byte("<")):
		return errMarkup
	case csv:
		return errCSV
	default:
		return fmt.Errorf("%w: %w", errNotJSON, cause)
	}
}

// maxFormatBytes is how many bytes name a format. No order is shorter.
const maxFormatBytes = 5

// checkFormat recognises files that are neither JSON nor CSV by their first bytes.
func checkFormat(in *bufio.Reader) error {
	const (
		wide   = "is in UTF-16 or UTF-32, and only UTF-8 is read: iconv -f UTF-16 -t UTF-8 FILE | orderctl submit -"
		export = ", and only JSON and CSV are read: export it as CSV in UTF-8, or as JSON"
		packed = ", and only JSON and CSV are read: %s FILE | orderctl submit -"
	)
	begin, _ := in.Peek(maxFormatBytes)
	if len(begin) > 1 && begin[1] == 0 {
		return fmt.Errorf("%w %s", errFormat, wide) // without a mark
	}
	for _, f := range []struct{ begin, problem string }{
		{"\xff\xfe", wide},
		{"\xfe\xff", wide},
		{"\x00", wide},
		{"\x1f\x8b", "is compressed with gzip" + fmt.Sprintf(packed, "zcat")},
		{"\x28\xb5\x2f\xfd", "is compressed with zstd" + fmt.Sprintf(packed, "zstdcat")},
		{"BZh", "is compressed with bzip2" + fmt.Sprintf(packed, "bzcat")},
		{"\xfd7zXZ", "is compressed with xz" + fmt.Sprintf(packed, "xzcat")},
		{"PK", "is a ZIP archive or an Excel workbook (.xlsx)" + fmt.Sprintf(packed, "unzip -p") + ", or export a workbook as CSV in UTF-8"},
		{"\xd0\xcf\x11\xe0", "is an Excel workbook (.xls)" + export},
		{"PAR1", "is in Parquet" + export},
	} {
		if bytes.HasPrefix(begin, []byte(f.begin)) {
			return fmt.Errorf("%w %s", errFormat, f.problem)
		}
	}
	return nil
}
