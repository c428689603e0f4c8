package order_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"orderprocessor/internal/order"
)

func TestParseMoney(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       order.Money
		err        error
	}{
		{"zero", "0", 0, nil},
		{"minus zero", "-0", 0, nil},
		{"zero with decimals", "0.00000", 0, nil},
		{"zero with huge exponent", "0e999999999999", 0, nil},
		{"zero with tiny exponent", "-0.0e-999999999999", 0, nil},
		{"whole", "12", 1200, nil},
		{"one decimal", "12.5", 1250, nil},
		{"two decimals", "12.50", 1250, nil},
		{"trailing zeros", "1.100", 110, nil},
		{"many trailing zeros", "1.10" + strings.Repeat("0", 10_000), 110, nil},
		{"negative", "-12.34", -1234, nil},
		{"smallest", "0.01", 1, nil},
		{"positive exponent", "1e2", 100_00, nil},
		{"signed exponent", "1E+2", 100_00, nil},
		{"negative exponent", "125e-1", 1250, nil},
		{"exponent with leading zeros", "1e00000000002", 100_00, nil},
		{"exponent takes decimals away", "0.00001e3", 1, nil},
		{"exponent takes zeros away", "100000e-7", 1, nil},
		{"largest", "999999999999.99", order.MaxMoney, nil},
		{"largest by exponent", "99999999999999e-2", order.MaxMoney, nil},
		{"least", "-999999999999.99", -order.MaxMoney, nil},

		{"three decimals", "0.001", 0, order.ErrTooPrecise},
		{"three decimals by exponent", "1e-3", 0, order.ErrTooPrecise},
		{"three decimals of a large number", "999999999999.999", 0, order.ErrTooPrecise},
		{"tiny", "1e-400", 0, order.ErrTooPrecise},
		{"absurdly tiny", "1e-999999999999", 0, order.ErrTooPrecise},

		{"one above largest", "1000000000000.00", 0, order.ErrTooLarge},
		{"one below least", "-1000000000000.00", 0, order.ErrTooLarge},
		{"beyond int64", "92233720368547758.08", 0, order.ErrTooLarge},
		{"one above largest by exponent", "1e12", 0, order.ErrTooLarge},
		{"huge", "1e400", 0, order.ErrTooLarge},
		{"absurdly huge", "1e999999999999", 0, order.ErrTooLarge},
		{"exponent beyond int64", "1e99999999999999999999", 0, order.ErrTooLarge},

		{"empty", "", 0, order.ErrNotANumber},
		{"sign only", "-", 0, order.ErrNotANumber},
		{"leading zero", "01", 0, order.ErrNotANumber},
		{"two zeros", "00", 0, order.ErrNotANumber},
		{"negative leading zero", "-01", 0, order.ErrNotANumber},
		{"plus sign", "+1", 0, order.ErrNotANumber},
		{"two signs", "--1", 0, order.ErrNotANumber},
		{"no whole part", ".5", 0, order.ErrNotANumber},
		{"no fraction", "5.", 0, order.ErrNotANumber},
		{"no fraction before exponent", "5.e1", 0, order.ErrNotANumber},
		{"two points", "1.2.3", 0, order.ErrNotANumber},
		{"no exponent", "1e", 0, order.ErrNotANumber},
		{"no exponent after sign", "1e-", 0, order.ErrNotANumber},
		{"two exponent signs", "1e+-1", 0, order.ErrNotANumber},
		{"exponent with fraction", "1e1.0", 0, order.ErrNotANumber},
		{"exponent only", "e1", 0, order.ErrNotANumber},
		{"zero with bad exponent", "0e", 0, order.ErrNotANumber},
		{"hexadecimal", "0x10", 0, order.ErrNotANumber},
		{"underscore", "1_000", 0, order.ErrNotANumber},
		{"comma", "1,5", 0, order.ErrNotANumber},
		{"not a number", "NaN", 0, order.ErrNotANumber},
		{"infinity", "Infinity", 0, order.ErrNotANumber},
		{"null", "null", 0, order.ErrNotANumber},
		{"string", `"1"`, 0, order.ErrNotANumber},
		{"white space", " ", 0, order.ErrNotANumber},
		{"leading white space", " 1", 0, order.ErrNotANumber},
		{"trailing white space", "1\n", 0, order.ErrNotANumber},
		{"NUL after the number", "1\x00", 0, order.ErrNotANumber},
		{"other digits", "١", 0, order.ErrNotANumber},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := order.ParseMoney(tt.text)
			if got != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("ParseMoney = %d, %v, want %d, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

// exact is what ParseMoney must say of a JSON number, by another way there.
func exact(text string) (order.Money, error) {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, order.ErrNotANumber
	}
	r.Mul(r, big.NewRat(100, 1))
	if !r.IsInt() {
		return 0, order.ErrTooPrecise
	}
	if r.Num().CmpAbs(big.NewInt(int64(order.MaxMoney))) > 0 {
		return 0, order.ErrTooLarge
	}
	return order.Money(r.Num().Int64()), nil
}

func TestParseMoneyIsExact(t *testing.T) {
	t.Parallel()
	numbers := rapid.OneOf(
		rapid.StringMatching(`-?(0|[1-9][0-9]{0,16})(\.[0-9]{1,4})?([eE][+-]?[0-9]{1,2})?`),
		rapid.StringMatching(`-?(0|[1-9][0-9]{0,11})(\.[0-9]{1,2}0{0,4})?`),
		rapid.StringMatching(`-?[1-9][0-9]{0,4}0{0,12}e-[0-9]`),
		rapid.StringMatching(`-?0\.0{0,9}[0-9]{1,14}e1?[0-9]`),
		rapid.StringMatching(`-?(999999999999|1000000000000)\.[09][0189]0{0,2}`),
	)
	rapid.Check(t, func(t *rapid.T) {
		text := numbers.Draw(t, "text")
		want, wantErr := exact(text)
		got, err := order.ParseMoney(text)
		if got != want || !errors.Is(err, wantErr) {
			t.Fatalf("ParseMoney(%q) = %d, %v, want %d, %v", text, got, err, want, wantErr)
		}
	})
}

func TestMoneyRoundTrip(t *testing.T) {
	t.Parallel()
	amounts := rapid.Int64Range(-int64(order.MaxMoney), int64(order.MaxMoney))
	rapid.Check(t, func(t *rapid.T) {
		m := order.Money(amounts.Draw(t, "minor units"))
		if got, err := order.ParseMoney(m.String()); got != m || err != nil {
			t.Fatalf("ParseMoney(%q) = %d, %v, want %d", m, got, err, m)
		}
		text, err := json.Marshal(m)
		if err != nil || string(text) != m.String() {
			t.Fatalf("JSON of %d is %s, %v, want %s", m, text, err, m)
		}
		var back order.Money
		if err := json.Unmarshal(text, &back); back != m || err != nil {
			t.Fatalf("%s read back is %d, %v, want %d", text, back, err, m)
		}
	})
}

func TestMoneyString(t *testing.T) {
	t.Parallel()
	for m, want := range map[order.Money]string{
		0:              "0.00",
		1:              "0.01",
		-1:             "-0.01",
		10:             "0.10",
		99:             "0.99",
		100:            "1.00",
		-1250:          "-12.50",
		order.MaxMoney: "999999999999.99",
		math.MinInt64:  "-92233720368547758.08",
	} {
		if got := m.String(); got != want {
			t.Errorf("%d minor units are %q, want %q", int64(m), got, want)
		}
	}
}

func TestMoneyRefusesOtherJSON(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`"1.00"`, `null`, `true`, `[1]`, `{}`, `1.001`, `1e99`} {
		m := order.Money(7)
		if err := json.Unmarshal([]byte(text), &m); err == nil || m != 7 {
			t.Errorf("%s was read as %d, %v, want an error and the old value", text, m, err)
		}
	}
}

func TestMoneyUnmarshalText(t *testing.T) {
	t.Parallel()
	var m order.Money
	if err := m.UnmarshalText([]byte("1000.00")); m != 1000_00 || err != nil {
		t.Errorf("UnmarshalText = %d, %v, want 100000", m, err)
	}
	err := m.UnmarshalText([]byte("1.001\n"))
	if !errors.Is(err, order.ErrNotANumber) || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %q, want ErrNotANumber in one line", err)
	}
	err = m.UnmarshalText([]byte(strings.Repeat("x", 1<<20)))
	if !errors.Is(err, order.ErrNotANumber) || len(err.Error()) > 2*order.MaxNoteBytes {
		t.Errorf("error of %d bytes, want ErrNotANumber and no more than a note", len(err.Error()))
	}
}

// jsonNumber says by encoding/json whether the text is a JSON number.
func jsonNumber(text string) bool {
	if text == "" || strings.Trim(text, " \t\r\n") != text || !strings.ContainsRune("-0123456789", rune(text[0])) {
		return false
	}
	return json.Valid([]byte(text))
}

// costly reports whether big.Rat would write out too long a number.
func costly(text string) bool {
	e := strings.IndexAny(text, "eE")
	return e >= 0 && len(text)-e > len("e+9999")
}

func FuzzParseMoney(f *testing.F) {
	for _, text := range []string{
		"", "0", "-0", "12.50", "1.100", "0.001", "125e-1", "1e2", "01", "+1", ".5", "5.", "1e", "0x10", "NaN", " 1",
		"1e400", "1e-400", "1e999999999999", "999999999999.99", "1000000000000.00", "-999999999999.99",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := order.ParseMoney(text)
		if errors.Is(err, order.ErrNotANumber) == jsonNumber(text) {
			t.Fatalf("ParseMoney(%q) = %d, %v, but to encoding/json it is a number: %t", text, got, err, jsonNumber(text))
		}
		if err != nil && got != 0 {
			t.Fatalf("ParseMoney(%q) = %d beside an error", text, got)
		}
		if !jsonNumber(text) || costly(text) {
			return
		}
		if want, wantErr := exact(text); got != want || !errors.Is(err, wantErr) {
			t.Fatalf("ParseMoney(%q) = %d, %v, want %d, %v", text, got, err, want, wantErr)
		}
	})
}
