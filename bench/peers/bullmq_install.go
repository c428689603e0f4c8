package peers

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// npmTimeout bounds the installation of BullMQ, which takes seconds.
const npmTimeout = 2 * time.Minute

// bullMQFiles are the programs and what npm installs for them.
//
//go:embed bullmq/package.json bullmq/*.mjs
var bullMQFiles embed.FS

// bullMQVersion is what package.json pins.
func bullMQVersion() string {
	var pinned struct {
		Dependencies struct {
			BullMQ string `json:"bullmq"`
		} `json:"dependencies"`
	}
	text, err := bullMQFiles.ReadFile("bullmq/package.json")
	if err != nil || json.Unmarshal(text, &pinned) != nil {
		return "unknown"
	}
	return "v" + pinned.Dependencies.BullMQ
}

// installBullMQ puts the programs and their modules into the folder and returns the
// path of node.
func installBullMQ(ctx context.Context, dir string) (node string, err error) {
	if node, err = exec.LookPath("node"); err != nil {
		return "", Skipped{Reason: "there is no node on the PATH for BullMQ"}
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", Skipped{Reason: "there is no npm on the PATH to install BullMQ"}
	}
	if err := copyBullMQ(dir); err != nil {
		return "", fmt.Errorf("copy the BullMQ programs: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, npmTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, npm, "install", "--no-package-lock", "--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund") //nolint:gosec // from the PATH
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", Skipped{Reason: fmt.Sprintf("npm cannot install BullMQ: %v: %s", err, lastLine(out))}
	}
	return node, nil
}

func copyBullMQ(dir string) error {
	files, err := bullMQFiles.ReadDir("bullmq")
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := bullMQFiles.ReadFile("bullmq/" + file.Name())
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, file.Name()), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}
