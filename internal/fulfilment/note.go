package fulfilment

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	bom "golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"orderprocessor/internal/order"
)

// cutOff ends the note of a body that broke off or took too long.
const cutOff = "(cut off)"

// readNote reads the note from the body. It drains the body, within bounds, so that the
// connection can be reused, and ends the call when that takes too long. After status
// 101 the body is a bare connection that no context ends.
func (c *Client) readNote(resp *http.Response, end context.CancelFunc) string {
	if resp.StatusCode < http.StatusOK {
		return ""
	}
	defer time.AfterFunc(c.bodyTime, end).Stop()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBodyBytes))
	note := order.Printable(readable(resp.Header, body, err != nil))
	if err == nil {
		return note
	}
	note = strings.ToValidUTF8(note[:min(len(note), order.MaxNoteBytes-len(" "+cutOff))], "")
	return strings.TrimLeft(note+" "+cutOff, " ")
}

// readable returns a body as text for people, decompressed and in UTF-8, or describes a
// body that is no text.
func readable(header http.Header, body []byte, broken bool) string {
	if len(body) == 0 {
		return ""
	}
	size := fmt.Sprintf("%d bytes", len(body))
	if len(body) == maxBodyBytes {
		size = "at least " + size
	}
	codings := codingsOf(header)
	plain, known := decompress(body, codings)
	if !known && (!utf8.Valid(body) || isBinary(string(body))) {
		name := strings.Join(codings, ", ")
		return fmt.Sprintf("(%s-compressed answer, %s)", name[:min(len(name), maxCodingBytes)], size)
	}
	text := toUTF8(plain, header.Get("Content-Type"), broken || len(plain) == maxBodyBytes)
	if isBinary(text) {
		return fmt.Sprintf("(binary answer, %s)", size)
	}
	return text
}

// codingsOf lists the content codings of a body, in the order in which they were applied.
func codingsOf(header http.Header) []string {
	var codings []string
	for name := range strings.SplitSeq(strings.Join(header.Values("Content-Encoding"), ","), ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name != "" && name != "identity" {
			codings = append(codings, name)
		}
	}
	return codings
}

// decompress returns up to maxBodyBytes of the decompressed body. It returns the body
// unchanged and false if the codings are unknown or do not match it.
func decompress(body []byte, codings []string) ([]byte, bool) {
	if len(codings) > maxCodings {
		return body, false
	}
	plain := body
	for _, coding := range slices.Backward(codings) {
		r, err := decompressor(coding, plain)
		if err != nil {
			return body, false
		}
		plain, err = io.ReadAll(io.LimitReader(r, maxBodyBytes))
		if err != nil && len(plain) == 0 {
			return body, false
		}
	}
	return plain, true
}

// decompressor supports the codings of the standard library. For deflate, some servers
// omit the zlib wrapper that RFC 9110 requires.
func decompressor(coding string, body []byte) (io.Reader, error) {
	switch coding {
	case "gzip", "x-gzip":
		return gzip.NewReader(bytes.NewReader(body))
	case "deflate":
		if r, err := zlib.NewReader(bytes.NewReader(body)); err == nil {
			return r, nil
		}
		return flate.NewReader(bytes.NewReader(body)), nil
	default:
		return nil, fmt.Errorf("unknown content coding %s", coding)
	}
}

// toUTF8 decodes a text by its byte order mark, or by the charset of its type, or as
// UTF-8, or, if most of it is ASCII, as Windows-1252, which includes Latin-1. What it
// cannot decode becomes U+FFFD or stays unchanged. An incomplete last character of a cut
// text is dropped.
func toUTF8(body []byte, contentType string, cut bool) string {
	_, params, _ := mime.ParseMediaType(contentType) // a malformed type names no charset
	label := strings.ToLower(params["charset"])
	encoding, err := htmlindex.Get(label)
	var decoder transform.Transformer
	switch {
	case hasByteOrderMark(body):
		decoder = bom.BOMOverride(bom.UTF8.NewDecoder())
	case label == "utf-16" && body[0] == 0: // htmlindex assumes little-endian, RFC 2781 big-endian
		decoder = bom.UTF16(bom.BigEndian, bom.IgnoreBOM).NewDecoder()
	case err == nil && encoding != bom.UTF8:
		decoder = encoding.NewDecoder()
	default:
		if cut {
			body = withoutPartOfRune(body)
		}
		if err == nil || utf8.Valid(body) || 3*countHigh(body) > len(body) {
			return string(body)
		}
		decoder = charmap.Windows1252.NewDecoder()
	}
	text, _, err := transform.Bytes(decoder, body)
	if err != nil {
		return string(body)
	}
	return string(text)
}

func hasByteOrderMark(body []byte) bool {
	for _, mark := range []string{"\xef\xbb\xbf", "\xfe\xff", "\xff\xfe"} {
		if bytes.HasPrefix(body, []byte(mark)) {
			return true
		}
	}
	return false
}

// withoutPartOfRune drops an incomplete character at the end.
func withoutPartOfRune(body []byte) []byte {
	for i := len(body) - 1; i >= max(0, len(body)-utf8.UTFMax); i-- {
		if utf8.RuneStart(body[i]) {
			if !utf8.FullRune(body[i:]) {
				return body[:i]
			}
			break
		}
	}
	return body
}

// countHigh counts the bytes that are not ASCII.
func countHigh(body []byte) (n int) {
	for _, b := range body {
		if b >= utf8.RuneSelf {
			n++
		}
	}
	return n
}

// isBinary reports whether more than a tenth of a text is unreadable, ignoring a few
// stray characters.
func isBinary(text string) bool {
	all, odd := 0, 0
	for _, r := range text {
		all++
		if r == utf8.RuneError || unicode.IsControl(r) && !strings.ContainsRune("\t\n\v\f\r\b\x1b", r) {
			odd++
		}
	}
	return 10*odd > all && (odd > 3 || 2*odd > all)
}
