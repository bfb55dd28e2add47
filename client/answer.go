package cloudpam

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
)

// answer decodes the body of a successful response into T, and any other response into an *Error.
func answer[T any](c *call, resp *http.Response, err error) (T, error) {
	var out T
	body, err := read(resp, err)
	if err != nil {
		return out, err
	}
	if resp.StatusCode == http.StatusNoContent {
		return out, unexpected(resp, "it has no content")
	}
	if kind := mediaType(resp); kind != "application/json" {
		return out, unexpected(resp, fmt.Sprintf("its content type is %q instead of application/json", kind))
	}
	if err := json.Unmarshal(body, &out); err != nil {
		return out, unexpected(resp, "its JSON cannot be read: "+err.Error())
	}
	for _, etag := range c.readETag {
		*etag = etagOf(out, resp.Header)
	}
	return out, nil
}

// done is answer for an operation that returns nothing.
func done(resp *http.Response, err error) error {
	if _, err := read(resp, err); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusNoContent {
		return unexpected(resp, fmt.Sprintf("its status is %d instead of 204", resp.StatusCode))
	}
	return nil
}

// read returns the body of a successful response.
func read(resp *http.Response, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", where(resp), err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, refusal(resp, body)
	}
	return body, nil
}

// refusal makes an *Error of a response that is not a success.
func refusal(resp *http.Response, body []byte) *Error {
	e := &Error{Status: resp.StatusCode, Method: resp.Request.Method, Path: resp.Request.URL.Path, RequestID: resp.Header.Get("X-Request-Id")}
	var p Problem
	if strings.HasSuffix(mediaType(resp), "json") && json.Unmarshal(body, &p) == nil && p.Code != "" {
		e.take(p)
		return e
	}
	// Not CloudPAM's own words: a proxy in front of it, or another server altogether.
	e.Code, e.Title = ErrUnexpected, http.StatusText(resp.StatusCode)
	e.Detail = fmt.Sprintf("%s answered %d %s, which is not an answer of CloudPAM", where(resp), resp.StatusCode, e.Title)
	if to := resp.Header.Get("Location"); to != "" {
		e.Detail += "; it redirects to " + to + ": use that server as the endpoint"
	}
	return e
}

func (e *Error) take(p Problem) {
	e.Code, e.Title, e.Detail, e.RequestID = Code(p.Code), p.Title, p.Detail, p.RequestID
	e.Errors, e.Holders, e.LargestFreePrefixLength = p.Errors, p.Holders, p.LargestFreePrefixLength
	e.Approval = p.Approval
	if p.TraceID != nil {
		e.TraceID = *p.TraceID
	}
	if p.NearestPool != nil {
		e.NearestPool = *p.NearestPool
	}
}

func unexpected(resp *http.Response, why string) *Error {
	return &Error{
		Status: resp.StatusCode, Code: ErrUnexpected, Title: "Unexpected answer",
		Detail: fmt.Sprintf("%s did not answer as CloudPAM does: %s; check the endpoint", where(resp), why),
		Method: resp.Request.Method, Path: resp.Request.URL.Path,
	}
}

func where(resp *http.Response) string {
	return resp.Request.URL.Scheme + "://" + resp.Request.URL.Host + resp.Request.URL.Path
}

func mediaType(resp *http.Response) string {
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		return resp.Header.Get("Content-Type")
	}
	return kind
}
