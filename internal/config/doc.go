// Package config is a node's configuration: one YAML file, every key also an environment variable (storage.segment_size is
// STREAMFLOW_STORAGE_SEGMENT_SIZE), the environment before the file before the default. Settings are one table
// (settings.go), from which the reference in docs/guide/configuration.md is made. An unknown key is an error that names the
// nearest known one and its line.
package config
