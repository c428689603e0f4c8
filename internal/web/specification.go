package web

import (
	"encoding/json"
	"fmt"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/swaggest/swgui/v5emb"
	"gopkg.in/yaml.v3"
)

// The paths of the specification in its two formats, and of its reader.
const (
	SpecificationYAMLPath = "/openapi.yaml"
	SpecificationJSONPath = "/openapi.json"
	ReaderPath            = "/docs"
)

// Specification has a handler for each format of an OpenAPI document, and for pages to
// read it.
type Specification struct{ YAML, JSON, Reader fiber.Handler }

// NewSpecification returns the handlers for a document in YAML.
func NewSpecification(document string) (Specification, error) {
	var parsed any
	if err := yaml.Unmarshal([]byte(document), &parsed); err != nil {
		return Specification{}, fmt.Errorf("read the specification: %w", err)
	}
	asJSON, err := json.Marshal(parsed)
	if err != nil {
		return Specification{}, fmt.Errorf("write the specification as JSON: %w", err)
	}
	return Specification{
		YAML: func(c *fiber.Ctx) error {
			c.Set(fiber.HeaderContentType, "application/yaml")
			return c.SendString(document)
		},
		JSON: func(c *fiber.Ctx) error {
			c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
			return c.Send(asJSON)
		},
		Reader: asPages(adaptor.HTTPHandler(v5emb.New("Order processor", SpecificationJSONPath, ReaderPath)), ""),
	}, nil
}
