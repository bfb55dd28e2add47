package web

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
)

// compress works once per file and process, so it spends what the best ratio costs.
func compress(content []byte) []byte {
	var zipped bytes.Buffer
	w, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		panic(err) // The level is a constant of the package itself.
	}
	w.Write(content) //nolint:errcheck // A bytes.Buffer takes everything.
	w.Close()
	return zipped.Bytes()
}

func acceptsGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, params, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return strings.ReplaceAll(params, " ", "") != "q=0"
		}
	}
	return false
}
