package order

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Money is an exact amount in minor units: 1250 is 12.50. There is one
// currency per installation, with two decimals. As JSON it is a number with
// exactly two decimals; a float never carries it.
type Money int64

// MaxMoney is the largest amount: 999,999,999,999.99. It leaves room for sums in an
// int64 and stays exact for clients that read JSON numbers as IEEE doubles.
const MaxMoney Money = 99_999_999_999_999

// The reasons for which ParseMoney refuses a text.
var (
	// ErrNotANumber is returned for a text that is not a JSON number.
	ErrNotANumber = errors.New("is not a decimal number")
	// ErrTooPrecise is returned for a number with more than two decimals.
	ErrTooPrecise = errors.New("must have at most two decimals")
	// ErrTooLarge is returned for a number beyond MaxMoney on either side.
	ErrTooLarge = errors.New("must be at most 999999999999.99")
)

const (
	decimals       = 2
	maxMinorDigits = 14 // digits of MaxMoney
	// maxExponentDigits keeps arithmetic on exponents far from overflow. Only a text of a
	// billion digits could need a longer exponent.
	maxExponentDigits = 9
)

// ParseMoney parses a JSON number exactly, with exponents and trailing zeros: "12.5",
// "12.500" and "125e-1" are all 1250 minor units. Its time is proportional to the
// length of the text, whatever the exponent. It returns ErrNotANumber, ErrTooPrecise or
// ErrTooLarge.
func ParseMoney(text string) (Money, error) {
	n, err := scanNumber(text)
	if err != nil {
		return 0, err
	}
	digits := strings.TrimLeft(n.digits, "0")
	if digits == "" {
		return 0, nil
	}
	significant := strings.TrimRight(digits, "0")
	scale := n.scale - (len(digits) - len(significant))
	if scale > decimals {
		return 0, ErrTooPrecise
	}
	zeros := decimals - scale
	if len(significant)+zeros > maxMinorDigits {
		return 0, ErrTooLarge
	}
	minor, err := strconv.ParseInt(significant+strings.Repeat("0", zeros), 10, 64)
	if err != nil {
		return 0, ErrNotANumber
	}
	if n.negative {
		minor = -minor
	}
	return Money(minor), nil
}

// number is a parsed decimal: its value is digits divided by ten to the power of scale.
type number struct {
	negative bool
	digits   string
	scale    int
}

// scanNumber follows the grammar of RFC 8259, section 6.
func scanNumber(text string) (number, error) {
	rest, negative := strings.CutPrefix(text, "-")
	whole, rest := cutDigits(rest)
	if whole == "" || (len(whole) > 1 && whole[0] == '0') {
		return number{}, ErrNotANumber
	}
	var fraction string
	if after, ok := strings.CutPrefix(rest, "."); ok {
		if fraction, rest = cutDigits(after); fraction == "" {
			return number{}, ErrNotANumber
		}
	}
	exponent, err := scanExponent(rest)
	if err != nil {
		return number{}, err
	}
	return number{negative, whole + fraction, len(fraction) - exponent}, nil
}

func scanExponent(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	if text[0] != 'e' && text[0] != 'E' {
		return 0, ErrNotANumber
	}
	text = text[1:]
	sign := 1
	if strings.HasPrefix(text, "-") {
		sign = -1
	}
	if text != "" && (text[0] == '-' || text[0] == '+') {
		text = text[1:]
	}
	digits, rest := cutDigits(text)
	if digits == "" || rest != "" {
		return 0, ErrNotANumber
	}
	digits = strings.TrimLeft(digits, "0")
	if len(digits) > maxExponentDigits {
		digits = strings.Repeat("9", maxExponentDigits)
	}
	n, _ := strconv.Atoi("0" + digits) // digits only, and few of them
	return sign * n, nil
}

func cutDigits(text string) (digits, rest string) {
	i := 0
	for i < len(text) && text[i] >= '0' && text[i] <= '9' {
		i++
	}
	return text[:i], text[i:]
}

// String formats the amount with two decimals, as in "12.50".
func (m Money) String() string {
	sign, n := "", uint64(m) //nolint:gosec // a negative amount is negated below
	if m < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%02d", sign, n/100, n%100)
}

// MarshalJSON formats the amount as a JSON number with two decimals.
func (m Money) MarshalJSON() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalJSON parses a JSON number as ParseMoney does.
func (m *Money) UnmarshalJSON(text []byte) error { return m.UnmarshalText(text) }

// UnmarshalText parses an amount of the configuration as ParseMoney does.
func (m *Money) UnmarshalText(text []byte) error {
	parsed, err := ParseMoney(string(text))
	if err != nil {
		return fmt.Errorf("amount %q: %w", Printable(string(text)), err)
	}
	*m = parsed
	return nil
}
