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
)

// Specification returns the OpenAPI document of the API, as YAML.
func Specification() []byte { return []byte(specification) }

// specificationAnswers answers with the document in both of its forms, and as pages
// to read.
type specificationAnswers struct{ yaml, json, pages fiber.Handler }

// readSpecification returns an error when the document is not YAML.
func readSpecification() (specificationAnswers, error) {
	var document any
	if err := yaml.Unmarshal([]byte(specification), &document); err != nil {
		return specificationAnswers{}, fmt.Errorf("read the specification: %w", err)
	}
	asJSON, err := json.Marshal(document)
	if err != nil {
		return specificationAnswers{}, fmt.Errorf("write the specification as JSON: %w", err)
	}
	return specificationAnswers{
		yaml: func(c *fiber.Ctx) error {
			c.Set(fiber.HeaderContentType, "application/yaml")
			return c.SendString(specification)
		},
		json: func(c *fiber.Ctx) error {
			c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
			return c.Send(asJSON)
		},
		pages: asPages(adaptor.HTTPHandler(v5emb.New("Order processor", specificationJSON, documentation)), ""),
	}, nil
}
