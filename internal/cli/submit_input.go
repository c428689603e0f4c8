package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
)

const (
	// maxOrderBytes bounds one order of a file: what the API accepts.
	maxOrderBytes = 256 << 10
	// maxExcerpt bounds what is examined of a mistake to explain it, and the white
	// space between two orders that long ones can have.
	maxExcerpt = 4 << 10
	// maxFormatBytes is how many bytes name a format. No order is shorter.
	maxFormatBytes = 5
)

// entry is one JSON value of a file, or a mistake.
type entry struct {
	line int    // where it begins, from 1
	size int64  // bytes of the file since the entry before it
	text []byte // belongs to the receiver
	err  error  // why it cannot be an order
}

var (
	errTooLong    = fmt.Errorf("is longer than %d KiB", maxOrderBytes>>10)
	errNotObject  = errors.New("is not a JSON object")
	errNotJSON    = errors.New("is not valid JSON")
	errArray      = errors.New("is a JSON array; orders are expected here: an array must be the whole file")
	errAfterArray = errors.New("follows the end of the array")
	errCommas     = fmt.Errorf("%w: there are commas between objects; put each on a line of its own without them, or all in [ and ]", errNotJSON)
	errCSV        = fmt.Errorf("%w: it looks like CSV; write each order as a JSON object", errNotJSON)
	errMarkup     = fmt.Errorf("%w: it looks like XML or HTML; write each order as a JSON object", errNotJSON)
)

// submitInput reads the orders of a file one by one, in bounded memory. It reads no
// further than it must, as the file may be a pipe that is still being written.
type submitInput struct {
	file  *source
	dec   *jsontext.Decoder
	base  int64 // where in the file the decoder began
	end   int64 // where in the file the last entry ended
	begun bool
	array bool // within the array that is the file
	ended bool // after that array
}

// newSubmitInput returns an error for a file that is not JSON at all.
func newSubmitInput(file io.Reader) (*submitInput, error) {
	in := bufio.NewReader(file)
	skipMark(in)
	newlines, err := skipBlank(in)
	if err != nil {
		return nil, err
	}
	if err := checkFormat(in); err != nil {
		return nil, err
	}
	r := &submitInput{file: &source{file: in, line: 1 + newlines}}
	r.restart()
	return r, nil
}

// restart decodes from the next byte of the file, without memory of what was before.
func (r *submitInput) restart() {
	r.base = r.file.at()
	r.dec = jsontext.NewDecoder(r.file, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) // for the API to judge
}

// next returns io.EOF after the last entry, or why the file cannot be read further.
func (r *submitInput) next() (entry, error) {
	r.file.budget = maxOrderBytes + maxExcerpt
	var value jsontext.Value
	var err error
	if kind := r.dec.PeekKind(); kind == '[' && !r.begun || kind == ']' && r.array {
		if _, err = r.dec.ReadToken(); err == nil {
			r.begun, r.array, r.ended = true, kind == '[', kind == ']'
			return r.next()
		}
	} else {
		value, err = r.dec.ReadValue()
	}
	r.begun = true
	syntax := new(*jsontext.SyntacticError)
	switch {
	case err == nil:
		return r.entry(value), nil
	case errors.Is(err, errTooLong):
		return r.tooLong()
	case errors.As(err, syntax) && r.array:
		line := r.file.lineAt(r.base + (*syntax).ByteOffset)
		return entry{}, fmt.Errorf("line %d: the array %w: %w", line, errNotJSON, (*syntax).Err)
	case errors.As(err, syntax):
		return r.mistake((*syntax).Err)
	default:
		return entry{}, err
	}
}

// entry makes an entry of a valid JSON value.
func (r *submitInput) entry(value jsontext.Value) entry {
	end := r.base + r.dec.InputOffset()
	e := entry{line: r.file.lineAt(end - int64(len(value))), size: end - r.end, text: slices.Clone(value)}
	r.end = end
	switch {
	case r.ended:
		e.err = errAfterArray
	case len(value) > maxOrderBytes:
		e.err = errTooLong
	case value[0] == '[':
		e.err = errArray
	case value[0] != '{':
		e.err = errNotObject
	}
	return e
}

// tooLong skips a value that is too long.
func (r *submitInput) tooLong() (entry, error) {
	line := r.file.lineAt(r.base + r.dec.InputOffset() + r.blanks())
	r.file.budget = math.MaxInt64
	if err := r.dec.SkipValue(); err != nil {
		e, err := r.mistake(err)
		e.line, e.err = line, errTooLong
		return e, err
	}
	end := r.base + r.dec.InputOffset()
	e := entry{line: line, size: end - r.end, err: errTooLong}
	r.end = end
	return e, nil
}

// blanks is how much white space precedes the next value.
func (r *submitInput) blanks() int64 {
	ahead := r.dec.UnreadBuffer()
	return int64(len(ahead) - len(bytes.TrimLeft(ahead, " \t\r\n")))
}

// mistake returns an entry for text that is not JSON, and skips the rest of its
// line. If the text begins an object, all lines are skipped up to one that begins
// with a brace: an object over several lines is one mistake.
func (r *submitInput) mistake(cause error) (entry, error) {
	begin := r.base + r.dec.InputOffset() + r.blanks()
	r.file.unread(slices.Clone(r.dec.UnreadBuffer()))
	r.file.budget = math.MaxInt64
	e := entry{line: r.file.lineAt(begin)}
	var line []byte
	for {
		skipped, err := r.file.skipLine()
		if err != nil && !errors.Is(err, io.EOF) {
			return entry{}, err
		}
		if r.file.at() > begin && line == nil {
			line = bytes.TrimSpace(skipped)
		}
		if err != nil || line != nil && !bytes.HasPrefix(line, []byte("{")) {
			break
		}
		if next, err := r.file.peek(); line != nil && (err != nil || next == '{') {
			break
		}
	}
	e.err = explain(line, cause)
	e.size = r.file.at() - r.end
	r.end = r.file.at()
	r.restart()
	return e, nil //nolint:nilerr // the end of the input is no mistake
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

// source is a file of which a part can be read again. It knows the line of each
// byte, and bounds what is read at once.
type source struct {
	file     io.Reader
	ahead    []byte // to be read first
	offset   int64  // how much was read of the file
	line     int    // of the first byte, later of the last one that was asked for
	newlines []int64
	budget   int64 // reading more than this is errTooLong
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	if len(s.ahead) > 0 {
		n := copy(p, s.ahead)
		s.ahead = s.ahead[n:]
		return n, nil
	}
	if s.budget <= 0 {
		return 0, errTooLong
	}
	n, err := s.file.Read(p[:min(int64(len(p)), s.budget)])
	for i, c := range p[:n] {
		if c == '\n' {
			s.newlines = append(s.newlines, s.offset+int64(i))
		}
	}
	s.offset += int64(n)
	s.budget -= int64(n)
	return n, err
}

// at is the offset in the file of the next byte to be read.
func (s *source) at() int64 { return s.offset - int64(len(s.ahead)) }

func (s *source) unread(text []byte) { s.ahead = append(text, s.ahead...) }

// lineAt returns the line of a byte. Offsets must not decrease from call to call.
func (s *source) lineAt(offset int64) int {
	before, _ := slices.BinarySearch(s.newlines, offset)
	s.newlines = s.newlines[before:]
	s.line += before
	return s.line
}

// skipLine reads to the end of the line and returns the beginning of what it read.
func (s *source) skipLine() (begin []byte, err error) {
	chunk := make([]byte, maxExcerpt)
	for {
		n, err := s.Read(chunk)
		end := bytes.IndexByte(chunk[:n], '\n')
		if end >= 0 {
			s.unread(slices.Clone(chunk[end+1 : n]))
			n = end
		}
		begin = append(begin, chunk[:min(n, maxExcerpt-len(begin))]...)
		if end >= 0 || err != nil {
			return begin, err
		}
	}
}

func (s *source) peek() (byte, error) {
	var one [1]byte
	_, err := io.ReadFull(s, one[:])
	if err == nil {
		s.unread([]byte{one[0]})
	}
	return one[0], err
}

// skipMark drops the byte order mark that some editors write.
func skipMark(in *bufio.Reader) {
	const mark = "\uFEFF"
	if begin, _ := in.Peek(len(mark)); string(begin) == mark {
		_, _ = in.Discard(len(mark))
	}
}

// skipBlank reads white space and counts its lines. It returns io.EOF if there is
// nothing else.
func skipBlank(in *bufio.Reader) (newlines int, err error) {
	for {
		c, err := in.ReadByte()
		switch {
		case err != nil:
			return newlines, err
		case c == '\n':
			newlines++
		case c != ' ' && c != '\t' && c != '\r':
			return newlines, in.UnreadByte()
		}
	}
}

// errFormat begins the error of a file in another format.
var errFormat = errors.New("the input")

// checkFormat recognises files that are not JSON by their first bytes.
func checkFormat(in *bufio.Reader) error {
	const (
		wide   = "is in UTF-16 or UTF-32, and only UTF-8 is read: iconv -f UTF-16 -t UTF-8 FILE | orderctl submit -"
		export = ", and only JSON is read: export it as JSON, an object for each order"
		packed = ", and only JSON is read: %s FILE | orderctl submit -"
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
		{"PK", "is a ZIP archive or an Excel workbook (.xlsx)" + fmt.Sprintf(packed, "unzip -p") + ", or export a workbook as JSON"},
		{"\xd0\xcf\x11\xe0", "is an Excel workbook (.xls)" + export},
		{"PAR1", "is in Parquet" + export},
	} {
		if bytes.HasPrefix(begin, []byte(f.begin)) {
			return fmt.Errorf("%w %s", errFormat, f.problem)
		}
	}
	return nil
}

// identified is an order with its id.
type identified struct {
	body []byte
	id   string
	made bool // the id was made here
}

// identify gives an order that lacks an id a new one, so that sending it twice is
// safe. Nothing else of the text changes: amounts and mistakes reach the API as
// they were written. The text must be a JSON object.
func identify(text []byte) (identified, error) {
	d := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if _, err := d.ReadToken(); err != nil {
		return identified{}, err
	}
	separator := ""
	for d.PeekKind() == '"' {
		separator = ","
		name, err := d.ReadToken()
		if err != nil {
			return identified{}, err
		}
		isID := name.String() == "id"
		value, err := d.ReadValue()
		switch {
		case err != nil:
			return identified{}, err
		case isID && string(value) == `""`: // as good as absent for the API
			id := newID()
			end := int(d.InputOffset())
			return identified{slices.Concat(text[:end-len(value)], []byte(`"`+id+`"`), text[end:]), id, true}, nil
		case isID:
			id, _ := jsontext.AppendUnquote(nil, value) // what is no string is for the API to refuse
			return identified{text, string(id), false}, nil
		}
	}
	id := newID()
	return identified{slices.Concat([]byte(`{"id":"`+id+`"`+separator), text[1:]), id, true}, nil
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
