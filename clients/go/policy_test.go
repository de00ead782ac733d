package ocr

import (
	"testing"
	"time"
)

func TestThePolicyOfUploadsIsThatOfTheServiceConfig(t *testing.T) {
	wanted := policy{attempts: 5, initial: 200 * time.Millisecond, max: 5 * time.Second, multiplier: 2}
	if uploads != wanted {
		t.Fatal(uploads)
	}
}

func TestPausesGrowUpToTheLongest(t *testing.T) {
	for failures, wanted := range map[int]time.Duration{
		1: 200 * time.Millisecond, 3: 800 * time.Millisecond, 9: 5 * time.Second, 4000: 5 * time.Second,
	} {
		low, high := wanted*8/10, wanted*12/10
		if pause := uploads.pause(failures); pause < low || pause > high {
			t.Errorf("%v after %d failures", pause, failures)
		}
	}
}
