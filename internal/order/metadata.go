package order

import (
	"maps"
	"slices"
	"strings"
)

// The bounds of an order's metadata.
const (
	// MaxMetadataKeys bounds how many keys an order has.
	MaxMetadataKeys = 50
	// MaxMetadataKeyChars bounds a key.
	MaxMetadataKeyChars = 40
	// MaxMetadataValueChars bounds a value.
	MaxMetadataValueChars = 500
)

// metadata checks the keys in the order of their names, so that equal submissions have
// equal problems.
func (p *problems) metadata(all map[string]string) map[string]string {
	if len(all) > MaxMetadataKeys {
		p.add("metadata", CodeTooMany, "must have at most %d keys", MaxMetadataKeys)
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if !ValidMetadataKey(key) {
			p.add(MetadataField(key), CodeInvalid, "must have a key of 1 to %d characters of A-Z a-z 0-9 _ . -", MaxMetadataKeyChars)
			continue
		}
		p.text(MetadataField(key), all[key], MaxMetadataValueChars, oneLine)
	}
	return maps.Clone(all)
}

// MetadataField is the path to a value of the metadata, printable and short whatever its
// key is.
func MetadataField(key string) string {
	short := Printable(key)
	if len(short) > MaxMetadataKeyChars {
		short = strings.ToValidUTF8(short[:MaxMetadataKeyChars], "") + "…"
	}
	return "metadata." + short
}

// ValidMetadataKey reports whether metadata may have a key.
func ValidMetadataKey(key string) bool {
	if key == "" || len(key) > MaxMetadataKeyChars {
		return false
	}
	for i := range len(key) {
		if !nameByte(key[i]) {
			return false
		}
	}
	return true
}
