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
		want       int64
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
		{"largest", "999999999999.99", 99_999_999_999_999, nil},
		{"largest by exponent", "99999999999999e-2", 99_999_999_999_999, nil},
		{"least", "-999999999999.99", -99_999_999_999_999, nil},

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
			got, err := order.ParseMoney(tt.text, 2)
			if got.Minor != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("ParseMoney = %v, %v, want %d, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

// exact is what ParseMoney must say of a JSON number, by another way there.
func exact(text string, decimals int) (order.Money, error) {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return order.Money{}, order.ErrNotANumber
	}
	tooLarge := new(big.Rat).Abs(r).Cmp(big.NewRat(99_999_999_999_999, 100)) > 0
	r.Mul(r, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(decimals)), nil)))
	if !r.IsInt() {
		return order.Money{}, order.ErrTooPrecise
	}
	if tooLarge {
		return order.Money{}, order.ErrTooLarge
	}
	return order.Money{Minor: r.Num().Int64(), Decimals: decimals}, nil
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
		text, decimals := numbers.Draw(t, "text"), rapid.IntRange(0, order.MaxDecimals).Draw(t, "decimals")
		want, wantErr := exact(text, decimals)
		got, err := order.ParseMoney(text, decimals)
		if got != want || !errors.Is(err, wantErr) {
			t.Fatalf("ParseMoney(%q) = %v, %v, want %v, %v", text, got, err, want, wantErr)
		}
	})
}

func TestMoneyRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		decimals := rapid.IntRange(0, order.MaxDecimals).Draw(t, "decimals")
		most := order.MaxMoney(decimals).Minor
		m := order.Money{Minor: rapid.Int64Range(-most, most).Draw(t, "minor units"), Decimals: decimals}
		if got, err := order.ParseMoney(m.String(), decimals); got != m || err != nil {
			t.Fatalf("ParseMoney(%q) = %v, %v, want %v", m, got, err, m)
		}
		text, err := json.Marshal(m)
		if err != nil || string(text) != m.String() {
			t.Fatalf("JSON of %v is %s, %v", m, text, err)
		}
		var back order.Money
		if err := json.Unmarshal(text, &back); back != m || err != nil {
			t.Fatalf("%s read back is %v, %v, want %v", text, back, err, m)
		}
	})
}

func TestMoneyString(t *testing.T) {
	t.Parallel()
	for m, want := range map[order.Money]string{
		order.Cents(0):              "0.00",
		order.Cents(1):              "0.01",
		order.Cents(-1):             "-0.01",
		order.Cents(10):             "0.10",
		order.Cents(99):             "0.99",
		order.Cents(100):            "1.00",
		order.Cents(-1250):          "-12.50",
		order.MaxMoney(2):           "999999999999.99",
		order.Cents(math.MinInt64):  "-92233720368547758.08",
		{Minor: 1250}:               "1250",
		{Minor: -7}:                 "-7",
		{}:                          "0",
		{Minor: 1, Decimals: 3}:     "0.001",
		{Minor: 12500, Decimals: 3}: "12.500",
		order.MaxMoney(0):           "999999999999",
		order.MaxMoney(3):           "999999999999.990",
		order.MaxMoney(4):           "999999999999.9900",
	} {
		if got := m.String(); got != want {
			t.Errorf("%+v is %q, want %q", m, got, want)
		}
	}
}

// TestMoneyCompare compares amounts of different decimals as numbers.
func TestMoneyCompare(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		a, b order.Money
		want int
	}{
		{order.Cents(1000), order.Money{Minor: 10}, 0},
		{order.Cents(1000), order.Money{Minor: 10_000, Decimals: 3}, 0},
		{order.Cents(1000), order.Money{Minor: 10_001, Decimals: 3}, -1},
		{order.Money{Minor: 11}, order.Cents(1000), 1},
		{order.MaxMoney(4), order.MaxMoney(2), 0},
		{order.MaxMoney(0), order.MaxMoney(4), -1},
		{order.Money{}, order.Cents(0), 0},
		{order.Cents(-1), order.Money{}, -1},
	} {
		if got, back := row.a.Compare(row.b), row.b.Compare(row.a); got != row.want || back != -row.want {
			t.Errorf("%v and %v compare as %d, and %d the other way, want %d", row.a, row.b, got, back, row.want)
		}
	}
}

func TestMoneyRefusesOtherJSON(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`"1.00"`, `null`, `true`, `[1]`, `{}`, `1.00001`, `1e99`} {
		m := order.Cents(7)
		if err := json.Unmarshal([]byte(text), &m); err == nil || m != order.Cents(7) {
			t.Errorf("%s was read as %v, %v, want an error and the old value", text, m, err)
		}
	}
}

func TestMoneyUnmarshalText(t *testing.T) {
	t.Parallel()
	var m order.Money
	for text, want := range map[string]order.Money{
		"1000.00": order.Cents(1000_00), "99.5": order.Cents(99_50), "7": order.Cents(700), "0.125": {Minor: 125, Decimals: 3}, "1.00000": {Minor: 10_000, Decimals: 4},
	} {
		if err := m.UnmarshalText([]byte(text)); m != want || err != nil {
			t.Errorf("%s is read as %+v, %v, want %+v", text, m, err, want)
		}
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
		f.Add(text, uint8(2))
		f.Add(text, uint8(3))
	}
	f.Fuzz(func(t *testing.T, text string, seed uint8) {
		decimals := int(seed) % (order.MaxDecimals + 1)
		got, err := order.ParseMoney(text, decimals)
		if errors.Is(err, order.ErrNotANumber) == jsonNumber(text) {
			t.Fatalf("ParseMoney(%q) = %v, %v, but to encoding/json it is a number: %t", text, got, err, jsonNumber(text))
		}
		if err != nil && got != (order.Money{}) {
			t.Fatalf("ParseMoney(%q) = %v beside an error", text, got)
		}
		if !jsonNumber(text) || costly(text) {
			return
		}
		if want, wantErr := exact(text, decimals); got != want || !errors.Is(err, wantErr) {
			t.Fatalf("ParseMoney(%q) = %v, %v, want %v, %v", text, got, err, want, wantErr)
		}
	})
}
