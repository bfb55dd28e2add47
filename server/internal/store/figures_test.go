package store_test

import (
	"path/filepath"
	"testing"

	"github.com/cloudpam/cloudpam/server/internal/store"
	"github.com/cloudpam/cloudpam/server/internal/store/storetest"
)

func TestFiguresTellOfTheOldestReadWhileItLasts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		oldest := func() int64 {
			f, err := db.Figures(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return int64(f.OldestRead)
		}
		err := db.Read(t.Context(), func(*store.Tx) error {
			first := oldest()
			if second := oldest(); first <= 0 || second <= first {
				t.Errorf("it lasts for %d, then %d", first, second)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := oldest(); n != 0 {
			t.Errorf("a read that is over lasts for %d", n)
		}
	})
}

func TestFiguresKnowOfABackupOnceItIsMade(t *testing.T) {
	path := storetest.SQLite(t)
	db := storetest.Open(t, path)
	made := func() bool {
		f, err := db.Figures(t.Context())
		if err != nil || f.Size == 0 || f.Log == 0 {
			t.Fatalf("%+v %v", f, err)
		}
		return !f.BackedUp.IsZero()
	}
	if err := db.Write(t.Context(), "", insert("a")); err != nil {
		t.Fatal(err)
	}
	if made() {
		t.Error("a backup is told of that nobody has made")
	}
	to := filepath.Join(t.TempDir(), "backup.db")
	if _, err := store.Backup(t.Context(), path, to); err != nil {
		t.Fatal(err)
	}
	if !made() {
		t.Error("nobody is told of the backup")
	}
	if _, err := store.Backup(t.Context(), path, to); err == nil || !made() {
		t.Errorf("a second one to the same file: %v", err)
	}
}
