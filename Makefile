MODULES  = $(notdir $(shell go list -m))
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
BIN     := $(CURDIR)/bin
LDFLAGS  = -X main.version=$(VERSION)

# Tools are pinned here and run from source: nothing to install, the same result on every machine.
OAPI_CODEGEN  := github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2
SQLC          := github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1
TFPLUGINDOCS  := github.com/hashicorp/terraform-plugin-docs/cmd/tfplugindocs@v0.25.0
GOFUMPT       := mvdan.cc/gofumpt@v0.12.0
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GORELEASER    := github.com/goreleaser/goreleaser/v2@v2.16.0
CYCLONEDX     := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
ACTIONLINT    := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

.DEFAULT_GOAL := help
.PHONY: help demo demo-clouds run build build/server build/provider test test/downstream prove screenshots bench lint generate verify image image/context \
	release/tools release/check release/snapshot release/test release/reproduce

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z\/-]+:.*## / {printf "  %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## Start a server, apply examples/quickstart with Terraform, show its CIDRs, stay up (DEMO_EXIT=1: do not)
	@cd terraform-provider-cloudpam && go build -o $(BIN)/demo ./tools/demo
	@exec $(BIN)/demo

demo-clouds: build ## See, adopt and import an estate of a cloud in memory: sync, drift, adopt, an empty plan
	@cd server && go build -o $(BIN)/fakecloud ./tools/fakecloud
	@cd terraform-provider-cloudpam && go build -o $(BIN)/demo ./tools/demo
	@exec $(BIN)/demo clouds

run: build/server ## Start the server on cloudpam.db in this folder
	@exec $(BIN)/cloudpam serve

build: build/server build/provider ## Build the server and the Terraform provider into bin/

build/server:
	@echo building bin/cloudpam
	@cd server && CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/cloudpam ./cmd/cloudpam

build/provider:
	@echo building bin/terraform-provider-cloudpam
	@cd terraform-provider-cloudpam && CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/terraform-provider-cloudpam .

image: image/context ## Build the container image cloudpam:$(VERSION), with docker, podman or buildah
	@builder=$$(command -v docker || command -v podman || command -v buildah) || { echo "make image needs docker, podman or buildah; bin/image is the folder to build from"; exit 1; }; \
		exec $$builder build --file server/Dockerfile --tag cloudpam:$(VERSION) $(BIN)/image

image/context: build/server
	@rm -rf $(BIN)/image && mkdir -p $(BIN)/image/data && cp $(BIN)/cloudpam $(BIN)/image/
	@for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do \
		if [ -e $$bundle ]; then exec cp $$bundle $(BIN)/image/ca-certificates.crt; fi; done; echo "no certificates of authorities were found"; exit 1

test: ## Run all that CI runs: the tests of every module on both databases, in a browser and with Terraform, verify and lint
	@.ci/test.sh

test/downstream: ## Plan the AWS and GCP examples with the real providers, built from source (minutes, the first time)
	@.ci/downstream.sh

prove: ## Take out each line that guards a promise, and expect a test to miss it
	@cd server && CLOUDPAM_TEST_ENGINES=sqlite go run ./tools/prove

screenshots: ## Take pictures of every page into bin/screenshots: four widths, light and dark, with long names, with nothing, failed
	@cd web && CLOUDPAM_SCREENSHOTS=$(BIN)/screenshots go test . -count=1 -run '^TestPictures$$'
	@echo pictures are in bin/screenshots

bench: ## Run every benchmark, and the server next to a bare loop on the same disk
	@for module in $(MODULES); do (cd $$module && go test -run '^$$' -bench . -benchmem ./...) || exit 1; done
	@cd server && go run ./internal/bench

lint: ## Run gofumpt and golangci-lint on every module
	@mkdir -p $(BIN) && CGO_ENABLED=0 GOBIN=$(BIN) go install $(GOLANGCI_LINT)
	@unformatted=$$(go run $(GOFUMPT) -l $(MODULES)) && { test -z "$$unformatted" || { echo "gofumpt wants to change: $$unformatted"; exit 1; }; }
	@failed=0; for module in $(MODULES); do (cd $$module && $(BIN)/golangci-lint run --config $(CURDIR)/.golangci.yml ./...) || failed=1; done; exit $$failed

generate: ## Write what follows from the contract, the SQL and the provider's schemas: code and provider docs
	@cd server/api && go run $(OAPI_CODEGEN) -config server.cfg.yaml openapi.yaml
	@cd client && go run $(OAPI_CODEGEN) -config client.cfg.yaml ../server/api/openapi.yaml
	@cd server/internal/store && CGO_ENABLED=0 go run $(SQLC) generate # without cgo it brings PostgreSQL's parser built
	@terraform-provider-cloudpam/tools/docs.sh $(TFPLUGINDOCS)

verify: ## Check generated code, formatting, vet, module files and links
	@.ci/verify.sh

release/tools:
	@.ci/tools.sh $(GORELEASER) $(CYCLONEDX)

release/check: release/tools ## Check what goreleaser and GitHub's workflows are told to do
	@$(BIN)/goreleaser check .goreleaser.yml terraform-provider-cloudpam/.goreleaser.yml
	@go run $(ACTIONLINT)

release/snapshot: release/tools ## Build all that a release consists of into dist/ (many minutes; ONLY=linux_amd64: for one platform)
	@.ci/release.sh --snapshot --clean --skip=publish,sign

release/test: ## Install what is in dist/: the provider through a mirror, the archive, the deb and the rpm in a root of their own
	@.ci/release-test.sh

release/reproduce: release/tools ## Build the last commit twice, in two places and without a cache, and expect the same bytes (ONLY, too)
	@.ci/reproduce.sh
