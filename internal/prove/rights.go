package prove

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"orderprocessor/internal/client"
)

// rights are why the key may not do something; nil if it may.
type rights struct{ submit, read, admin error }

// askForRights finds out what the key may do. It asks for things that do not exist.
func (r *run) askForRights(ctx context.Context) error {
	if err := r.API.Reach(ctx); err != nil {
		return err
	}
	none := r.Prefix() + "none"
	_, submit := r.API.Cancel(ctx, none, "")
	_, read := r.API.Order(ctx, none)
	_, admin := r.API.Retry(ctx, none)
	for _, err := range []error{submit, read, admin} {
		switch {
		case errors.Is(err, client.ErrInterrupted), client.HasStatus(err, http.StatusUnauthorized):
			return err
		case err == nil:
			return fmt.Errorf("the API has an order %s: %w", none, client.ErrNotAPI)
		}
	}
	denied := func(err error) error {
		if client.Denied(err) {
			return err
		}
		return nil
	}
	r.rights = rights{submit: denied(submit), read: denied(read), admin: denied(admin)}
	return nil
}
