package order

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Money is an exact amount, and never a float: {1250, 2} is 12.50. As JSON it is a number
// with exactly its decimals, from which the same value is read back. Amounts with
// different decimals can be compared; equal ones need not be the same value.
type Money struct { //nolint:recvcheck // an amount is used by value and read by pointer
	// Minor counts the minor units of the currency.
	Minor int64
	// Decimals is how many digits stand behind the point: those of the currency, at most
	// MaxDecimals.
	Decimals int
}

// MaxDecimals is the largest number of decimals in ISO 4217.
const MaxDecimals = 4

// Cents returns an amount with two decimals.
func Cents(minor int64) Money { return Money{minor, 2} }

// MaxMoney returns the largest amount with so many decimals that is not above
// 999,999,999,999.99. It leaves room for sums in an int64, and with up to three decimals
// stays exact for clients that read JSON numbers as IEEE doubles.
func MaxMoney(decimals int) Money {
	return Money{int64(99_999_999_999_999) * power(decimals) / 100, decimals}
}

// power returns ten to the power of n.
func power(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

// The reasons for which ParseMoney refuses a text.
var (
	// ErrNotANumber is returned for a text that is not a JSON number.
	ErrNotANumber = errors.New("is not a decimal number")
	// ErrTooPrecise is returned for a number with more decimals than allowed.
	ErrTooPrecise = errors.New("has too many decimals")
	// ErrTooLarge is returned for a number beyond MaxMoney on either side.
	ErrTooLarge = errors.New("must be at most 999999999999.99")
)

const (
	maxWholeDigits = 12 // digits of MaxMoney in front of the point
	// maxExponentDigits keeps arithmetic on exponents far from overflow. Only a text of a
	// billion digits could need a longer exponent.
	maxExponentDigits = 9
)

// ParseMoney parses a JSON number exactly, with exponents and trailing zeros: with two
// decimals, "12.5", "12.500" and "125e-1" are all 1250 minor units. Its time is
// proportional to the length of the text, whatever the exponent. It returns
// ErrNotANumber, ErrTooPrecise or ErrTooLarge.
func ParseMoney(text string, decimals int) (Money, error) {
	n, err := scanNumber(text)
	if err != nil {
		return Money{}, err
	}
	return n.money(decimals)
}

// money returns the number with so many decimals.
func (n number) money(decimals int) (Money, error) {
	significant, scale := n.significant()
	if significant == "" {
		return Money{0, decimals}, nil
	}
	if scale > decimals {
		return Money{}, ErrTooPrecise
	}
	zeros := decimals - scale
	if len(significant)+zeros > maxWholeDigits+decimals {
		return Money{}, ErrTooLarge
	}
	minor, err := strconv.ParseInt(significant+strings.Repeat("0", zeros), 10, 64)
	if err != nil {
		return Money{}, ErrNotANumber
	}
	if minor > MaxMoney(decimals).Minor {
		return Money{}, ErrTooLarge
	}
	if n.negative {
		minor = -minor
	}
	return Money{minor, decimals}, nil
}

// significant returns the digits without zeros at either end, and their scale. Zero has
// no digits.
func (n number) significant() (digits string, scale int) {
	digits = strings.TrimLeft(n.digits, "0")
	trimmed := strings.TrimRight(digits, "0")
	return trimmed, n.scale - (len(digits) - len(trimmed))
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

// Compare compares amounts of any decimals: it is negative if m is below other, and 0 if
// they are equal.
func (m Money) Compare(other Money) int {
	decimals := max(m.Decimals, other.Decimals)
	return cmp.Compare(m.Minor*power(decimals-m.Decimals), other.Minor*power(decimals-other.Decimals))
}

// String formats the amount with its decimals, as in "12.50".
func (m Money) String() string {
	sign, n := "", uint64(m.Minor) //nolint:gosec // a negative amount is negated below
	if m.Minor < 0 {
		sign, n = "-", -n
	}
	digits := fmt.Sprintf("%0*d", m.Decimals+1, n)
	if m.Decimals == 0 {
		return sign + digits
	}
	point := len(digits) - m.Decimals
	return sign + digits[:point] + "." + digits[point:]
}

// MarshalJSON formats the amount as a JSON number, as String does.
func (m Money) MarshalJSON() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalJSON parses a JSON number with the decimals that it is written with.
func (m *Money) UnmarshalJSON(text []byte) error { return m.read(string(text), 0) }

// UnmarshalText parses an amount of the configuration, which has two decimals or more.
func (m *Money) UnmarshalText(text []byte) error { return m.read(string(text), Cents(0).Decimals) }

// read parses a number with the decimals that it is written with, within bounds.
func (m *Money) read(text string, least int) error {
	n, err := scanNumber(text)
	if err == nil {
		var parsed Money
		if parsed, err = n.money(min(max(n.scale, least), MaxDecimals)); err == nil {
			*m = parsed
			return nil
		}
	}
	return fmt.Errorf("amount %q: %w", Printable(text), err)
}
