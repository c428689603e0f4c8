package cli

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
)

// form is how files begin that hold no JSON as it is, and what to do with them.
type form struct{ begin, what, advice string }

const (
	wide   = "is in UTF-16 or UTF-32, and only UTF-8 is read"
	recode = "iconv -f UTF-16 -t UTF-8 FILE | orderctl submit -"
)

func forms() []form {
	const (
		binary = ", and only JSON is read"
		export = "export it as JSON, an object for each order"
	)
	return []form{
		{"\xff\xfe", wide, recode},
		{"\xfe\xff", wide, recode},
		{"\x00", wide, recode},
		{"\x1f\x8b", "is compressed with gzip" + binary, "zcat FILE | orderctl submit -"},
		{"\x28\xb5\x2f\xfd", "is compressed with zstd" + binary, "zstdcat FILE | orderctl submit -"},
		{"BZh", "is compressed with bzip2" + binary, "bzcat FILE | orderctl submit -"},
		{"\xfd7zXZ", "is compressed with xz" + binary, "xzcat FILE | orderctl submit -"},
		{"\x04\x22\x4d\x18", "is compressed with lz4" + binary, "lz4cat FILE | orderctl submit -"},
		{"\x1f\x9d", "is compressed with compress" + binary, "zcat FILE | orderctl submit -"},
		{"7z\xbc\xaf", "is a 7z archive" + binary, "extract it first"},
		{"PK\x03\x04", "is a ZIP archive or an Excel workbook (.xlsx)" + binary, "unzip -p FILE | orderctl submit -, or, of a workbook, " + export},
		{"PK\x05\x06", "is an empty ZIP archive", "put orders into it, or name another file"},
		{"\xd0\xcf\x11\xe0", "is an Excel workbook (.xls)" + binary, export},
		{"PAR1", "is in Parquet" + binary, export},
	}
}

// checkForm looks at the first bytes that are not blank. It reads no more of them than
// it takes to tell that they are none of those.
func checkForm(in *bufio.Reader) error {
	if two, err := in.Peek(2); err == nil && two[1] == 0 {
		return (form{what: wide, advice: recode}).err() // without a mark
	}
	for _, f := range forms() {
		for n := 1; n <= len(f.begin); n++ {
			seen, err := in.Peek(n)
			if err != nil || !strings.HasPrefix(f.begin, string(seen)) {
				break
			}
			if n == len(f.begin) {
				return f.err()
			}
		}
	}
	return nil
}

// errForm is the beginning of what is said of every such file.
var errForm = errors.New("the input")

func (f form) err() error { return fmt.Errorf("%w %s: %s", errForm, f.what, f.advice) }
