package order

// ErasedText stands where a personal text was erased.
const ErasedText = "[erased]"

// Erased returns the content without what may be personal: the customer, the address,
// the notes and the values of the metadata. What was empty stays empty. Keys of the
// metadata, items, amounts and codes stay, and so do all totals. Erasing twice does what
// erasing once does.
func (c Content) Erased() Content {
	for _, text := range []*string{&c.Customer, &c.Address, &c.Notes} {
		if *text != "" {
			*text = ErasedText
		}
	}
	if c.Metadata == nil {
		return c
	}
	kept := make(map[string]string, len(c.Metadata))
	for key := range c.Metadata {
		kept[key] = ErasedText
	}
	c.Metadata = kept
	return c
}
