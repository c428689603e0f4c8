package order

import (
	"fmt"
	"slices"
	"strings"
)

// Currency is the ISO 4217 code of a currency, as in "USD". Empty means the currency of
// the installation.
type Currency string

// DefaultCurrency is the currency of an installation that sets none.
const DefaultCurrency Currency = "USD"

// currencies returns the codes of ISO 4217 by their decimals. A test compares them with
// those of github.com/bojanz/currency: when it has new ones, copy them.
func currencies() [MaxDecimals + 1]string {
	return [...]string{
		"BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
		"",
		"AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF " +
			"CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD " +
			"GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL " +
			"MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR " +
			"PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP " +
			"TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG",
		"BHD IQD JOD KWD LYD OMR TND",
		"CLF UYW",
	}
}

// Valid reports whether ISO 4217 has the code.
func (c Currency) Valid() bool {
	_, found := c.find()
	return found
}

// Decimals returns how many decimals an amount of the currency has: 0 to MaxDecimals, and
// 2 for a code that ISO 4217 does not have.
func (c Currency) Decimals() int {
	if decimals, found := c.find(); found {
		return decimals
	}
	return Cents(0).Decimals
}

func (c Currency) find() (decimals int, found bool) {
	if len(c) != len(DefaultCurrency) || strings.Contains(string(c), " ") {
		return 0, false
	}
	all := currencies()
	decimals = slices.IndexFunc(all[:], func(codes string) bool { return strings.Contains(codes, string(c)) })
	return decimals, decimals >= 0
}

// DecimalsOf describes how many decimals an amount may have, as in "at most two decimals".
func DecimalsOf(decimals int) string {
	if decimals == 0 {
		return "no decimals"
	}
	return fmt.Sprintf("at most %s decimals", [...]string{"no", "one", "two", "three", "four"}[decimals])
}
