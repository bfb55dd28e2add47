package main

import (
	"os"
	"testing"
)

var loggers = []string{"TF_LOG_PROVIDER_CLOUDPAM", "TF_LOG_SDK", "TF_LOG_SDK_PROTO", "TF_LOG_SDK_FRAMEWORK"}

func silence(t *testing.T) {
	t.Helper()
	t.Setenv("TF_LOG", "")
	t.Setenv("TF_LOG_PROVIDER", "")
	for _, logger := range loggers {
		t.Setenv(logger, "")
	}
}

func TestWithoutTFLogNothingIsLogged(t *testing.T) {
	silence(t)
	unheard()
	for _, logger := range loggers {
		if os.Getenv(logger) != "off" {
			t.Errorf("%s is %q", logger, os.Getenv(logger))
		}
	}
}

func TestWhoeverAsksForALogGetsIt(t *testing.T) {
	for _, asked := range append([]string{"TF_LOG", "TF_LOG_PROVIDER"}, loggers...) {
		t.Run(asked, func(t *testing.T) {
			silence(t)
			t.Setenv(asked, "debug")
			unheard()
			for _, logger := range loggers {
				if os.Getenv(logger) == "off" {
					t.Errorf("%s=debug, and %s is off", asked, logger)
				}
			}
		})
	}
}
