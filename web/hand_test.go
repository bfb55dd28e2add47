package web_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// settled is the middle of an element that has stood still for two frames with nothing above it, else null. A font that
// arrives moves everything, so no font may be on its way.
const settled = `new Promise(resolve => {
	const box = () => { const e = %[1]s; if (e) e.scrollIntoView({block: 'center'}); return e && e.getBoundingClientRect(); };
	const before = box();
	requestAnimationFrame(() => requestAnimationFrame(() => {
		const r = box();
		if (document.fonts.status !== 'loaded' || !before || !r || r.x !== before.x || r.y !== before.y) return resolve(null);
		const at = [r.x + r.width / 2, r.y + r.height / 2], hit = document.elementFromPoint(...at);
		resolve(hit && %[1]s.contains(hit) ? at : null);
	}));
})`

// click uses a real pointer on the middle of the first match, once the page has settled around it.
func (c *chromium) click(selector string) {
	c.t.Helper()
	// What arrives late moves the page, on a busy machine also between the look and the click. So the page notes whether the
	// click met the element: in the window's name, which outlives the page that a click may lead away from.
	for met := any(""); met != "met"; {
		c.await("window.clickAt = await " + fmt.Sprintf(settled, find(selector)))
		at, err := c.value("(window.name = '', document.addEventListener('click', event => { if (" + find(selector) +
			"?.contains(event.target)) window.name = 'met'; }, {capture: true, once: true}), window.clickAt)")
		if goesOn(err) {
			continue
		}
		if err != nil {
			c.t.Fatal(err)
		}
		for _, kind := range []string{"mouseMoved", "mousePressed", "mouseReleased"} {
			c.call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": at.([]any)[0], "y": at.([]any)[1], "button": "left", "clickCount": 1}, nil)
		}
		c.await("window.name !== undefined") // in the page that the click led to, if it did
		met, err = c.value("window.name")
		for goesOn(err) {
			met, err = c.value("window.name")
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
}

// scrollTo brings the first match into sight once it is shown: Alpine shows an element a turn after the data that it waits for.
func (c *chromium) scrollTo(selector string) {
	c.t.Helper()
	c.await(find(selector) + "?.offsetParent && (" + find(selector) + ".scrollIntoView({block: 'center'}), true)")
}

// press sends one key as a keyboard does.
func (c *chromium) press(key string) {
	c.t.Helper()
	event := map[string]any{"type": "keyDown", "key": key}
	if len(key) == 1 {
		event["text"] = key
	}
	codes := map[string]int{"Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
	if code, named := codes[key]; named {
		event["windowsVirtualKeyCode"] = code
	}
	if key == "Enter" {
		event["text"] = "\r"
	}
	c.call("Input.dispatchKeyEvent", event, nil)
	c.call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key}, nil)
}

func (c *chromium) write(text string) {
	c.t.Helper()
	c.call("Input.insertText", map[string]any{"text": text}, nil)
}

// resize sets the window, and the theme the system asks for.
func (c *chromium) resize(width, height int, theme string) {
	c.t.Helper()
	c.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}, nil)
	c.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{
		{"name": "prefers-color-scheme", "value": theme}, {"name": "prefers-reduced-motion", "value": "reduce"},
	}}, nil)
}

// picture stores a screenshot where CLOUDPAM_SCREENSHOTS says, for people to look at; without it nothing is stored.
func (c *chromium) picture(name string) {
	c.t.Helper()
	dir := os.Getenv("CLOUDPAM_SCREENSHOTS")
	if dir == "" {
		return
	}
	var shot struct{ Data string }
	c.call("Page.captureScreenshot", map[string]any{"format": "png"}, &shot)
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	if err == nil {
		png, err = shrink(png)
	}
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// find is the expression for the first element that matches a selector.
func find(selector string) string {
	quoted, err := json.Marshal(selector)
	if err != nil {
		panic(err)
	}
	return "document.querySelector(" + string(quoted) + ")"
}

// goesOn reports whether a page could not answer because it was on its way to another.
func goesOn(err error) bool {
	return err != nil && strings.Contains(err.Error(), "navigated or closed")
}
