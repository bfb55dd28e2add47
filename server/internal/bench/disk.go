package main

import (
	"os"
	"path/filepath"
	"time"
)

// flushRate is how often a second the disk makes 4 KiB durable in a file that does not grow: the ceiling of any database
// that flushes each commit.
func flushRate(dir string, length time.Duration) (float64, error) {
	const block, blocks = 4096, 1024
	f, err := os.Create(filepath.Join(dir, "flush"))
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := f.Write(make([]byte, block*blocks)); err != nil {
		return 0, err
	}
	if err := f.Sync(); err != nil {
		return 0, err
	}
	data := make([]byte, block)
	begin, n := time.Now(), 0
	for ; time.Since(begin) < length; n++ {
		data[0]++
		if _, err := f.WriteAt(data, int64(n%blocks)*block); err != nil {
			return 0, err
		}
		if err := flush(f); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(begin).Seconds(), nil
}
