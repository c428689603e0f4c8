package config

import (
	"fmt"
	"strconv"
)

// relate checks the worker's variables against each other. A pair is left alone
// while one of it has a problem of its own.
func (p *problems) relate(s *settings) {
	w := s.worker
	if !p.about(nameConcurrency, nameLanes, nameReserved) {
		p.relateSlots(w)
	}
	if !p.about(nameRetryBase, nameRetryMax) && w.RetryMax < w.RetryBase {
		p.relation(nameRetryMax, brief(w.RetryMax), "must not be below %s, which is %s", nameRetryBase, brief(w.RetryBase))
	}
	if !p.about(nameFulfilmentTimeout, nameAttemptTimeout) && w.FulfilmentTimeout >= w.AttemptTimeout {
		p.relation(nameFulfilmentTimeout, brief(w.FulfilmentTimeout), "must be below %s, which is %s", nameAttemptTimeout, brief(w.AttemptTimeout))
	}
	if s.has(nameFulfilmentSecret) && !s.has(nameFulfilmentURL) {
		p.relation(nameFulfilmentSecret, "", "must not be set without %s, as nothing else is signed", nameFulfilmentURL)
	}
}

// relateSlots checks that every lane gets a slot.
func (p *problems) relateSlots(w Worker) {
	lanes, reserved := strconv.Itoa(w.Lanes), strconv.Itoa(w.ReservedCritical)
	manyLanes, manyReserved := w.Lanes > w.Concurrency, w.ReservedCritical >= w.Concurrency
	if manyLanes {
		p.relation(nameLanes, lanes, "must not be above %s, which is %d", nameConcurrency, w.Concurrency)
	}
	if manyReserved {
		p.relation(nameReserved, reserved, "must be below %s, which is %d", nameConcurrency, w.Concurrency)
	}
	if !manyLanes && !manyReserved && w.Concurrency-w.ReservedCritical < w.Lanes {
		p.relation(nameReserved, reserved, "must leave %s, which is %d, at least one slot each of %s, which is %d",
			nameLanes, w.Lanes, nameConcurrency, w.Concurrency)
	}
}

func (p *problems) relation(name, value, format string, args ...any) {
	p.add(Problem{Name: name, Value: value, Message: fmt.Sprintf(format, args...)})
}
