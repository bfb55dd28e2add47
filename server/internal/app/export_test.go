package app

import (
	"net/http"

	"github.com/cloudpam/cloudpam/server/internal/job"
	"github.com/cloudpam/cloudpam/server/internal/webhook"
)

// Jobs are what a server does by itself.
func (a *App) Jobs() []job.Job { return a.jobs() }

// Webhooks are those of the server.
func (a *App) Webhooks() *webhook.Book { return a.webhooks }

// Writes is how often the server has written.
func (a *App) Writes() uint64 { return a.db.Stats().Writes }

// Serve answers requests, and does nothing by itself.
func (a *App) Serve() error { return a.server.Serve(a.listener) }

// Handler answers requests without a connection.
func (a *App) Handler() http.Handler { return a.server.Handler }
