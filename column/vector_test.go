package column

import (
	"bytes"
	"testing"
)

func TestMakeView(t *testing.T) {
	text := []byte("abcdefghijklmnopqrstuvwxyz")
	for n := range text {
		v := Vector{Type: Of(Binary), N: 1, Views: []View{MakeView(text[:n], 0, 0)}, Bufs: [][]byte{text}}
		if got := v.Bytes(0); !bytes.Equal(got, text[:n]) {
			t.Errorf("%d bytes: %q", n, got)
		}
		if n > InlineLen {
			continue
		}
		// The rest of an inline view is zero, so that equal strings are equal words.
		if raw := rawBytes(v.Views)[4+n:]; len(bytes.Trim(raw, "\x00")) != 0 {
			t.Errorf("%d bytes: %x after the string", n, raw)
		}
	}
}
