package api

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/swaggest/swgui/v5emb"
	"gopkg.in/yaml.v3"
)

//go:embed openapi.yaml
var specification string

const (
	specificationYAML = "/openapi.yaml"
	specificationJSON = "/openapi.json"
	documentation     = "/docs"
	// documentationPolicy lets the pages load what this server has, and their own
	// inline script and styles.
	documentationPolicy = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
)

// Specification returns the OpenAPI document of the API, as YAML.
func Specification() []byte { return []byte(specification) }

// serveSpecification answers with the document in both of its forms, and as pages
// to read.
func (s *Server) serveSpecification() error {
	var document any
	if err := yaml.Unmarshal([]byte(specification), &document); err != nil {
		return fmt.Errorf("read the specification: %w", err)
	}
	asJSON, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("write the specification as JSON: %w", err)
	}
	s.app.Get(specificationYAML, func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentType, "application/yaml")
		return c.SendString(specification)
	})
	s.app.Get(specificationJSON, func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return c.Send(asJSON)
	})
	pages := adaptor.HTTPHandler(v5emb.New("Order processor", specificationJSON, documentation))
	serve := func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentSecurityPolicy, documentationPolicy)
		return pages(c)
	}
	s.app.Get(documentation, wholeBody, serve)
	s.app.Get(documentation+"/*", wholeBody, serve)
	return nil
}
