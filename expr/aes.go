package expr

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// AES as Spark has it: mode GCM (the default; 12 bytes of IV before the text, 16 of tag behind it), CBC (16 bytes of IV before
// the text, PKCS padding) or ECB (PKCS padding).
func init() {
	register("hash",
		&Function{Name: "aes_encrypt", in: params("x:bin x:key s:mode? s:padding? x:iv? x:aad?"), out: outOf(column.Binary), flags: volatile, Doc: "The bytes encrypted by AES with a key of 16, 24 or 32 bytes; mode GCM, CBC or ECB.",
			Example: "base64(aes_encrypt('Spark SQL', '1234567890abcdef', 'ECB', 'PKCS')) -> 3lmwu+Mw0H3fi5NDvcu9lg==", cost: 1500,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				out, err := aesOf(a, i).encrypt(a[0].Bytes(i))
				if err != nil {
					k.fail(i, err)
				}
				return append(dst, out...)
			})},
		&Function{Name: "aes_decrypt", in: params("x:bin x:key s:mode? s:padding? x:aad?"), out: outOf(column.Binary), Doc: "The bytes that aes_encrypt encrypted.",
			Example: "cast(aes_decrypt(aes_encrypt('Spark', '0000111122223333'), '0000111122223333') as string) -> Spark", cost: 1500,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				out, err := aesOf(a, i).decrypt(a[0].Bytes(i))
				if err != nil {
					k.fail(i, err)
				}
				return append(dst, out...)
			})},
		&Function{Name: "try_aes_decrypt", in: params("x:bin x:key s:mode? s:padding? x:aad?"), out: outOf(column.Binary), null: always, Doc: "aes_decrypt, or null when the bytes cannot be decrypted.",
			Example: "try_aes_decrypt(unhex('00'), '0000111122223333') -> NULL", cost: 1500,
			kernel: rowText(func(k *kctx, dst []byte, a []*column.Vector, i int) []byte {
				out, err := aesOf(a, i).decrypt(a[0].Bytes(i))
				if err != nil {
					k.null(i)
				}
				return append(dst, out...)
			})},
	)
}

// aesCall are the arguments behind the text.
type aesCall struct {
	key, iv, aad []byte
	mode         string
	padding      string
}

func aesOf(a []*column.Vector, i int) aesCall {
	c := aesCall{key: a[1].Bytes(i), mode: "GCM", padding: "DEFAULT"}
	if len(a) > 2 {
		c.mode = strings.ToUpper(a[2].Str(i))
	}
	if len(a) > 3 {
		c.padding = strings.ToUpper(a[3].Str(i))
	}
	switch len(a) {
	case 5: // aes_encrypt's fifth is the IV, aes_decrypt's the additional data; each reads its own
		c.iv, c.aad = a[4].Bytes(i), a[4].Bytes(i)
	case 6:
		c.iv, c.aad = a[4].Bytes(i), a[5].Bytes(i)
	}
	return c
}

func badAES(code, format string, args ...any) error {
	return usererr.New("INVALID_PARAMETER_VALUE."+code, "22023", format, args...)
}

func (c aesCall) block() (cipher.Block, error) {
	switch len(c.key) {
	case 16, 24, 32:
	default:
		return nil, badAES("AES_KEY_LENGTH", "The key of AES has 16, 24 or 32 bytes, not %d.", len(c.key))
	}
	switch c.mode + "/" + c.padding {
	case "GCM/DEFAULT", "GCM/NONE", "CBC/DEFAULT", "CBC/PKCS", "ECB/DEFAULT", "ECB/PKCS":
	default:
		return nil, usererr.New("UNSUPPORTED_FEATURE.AES_MODE", "0A000", "AES-%s with the padding %s is not supported.", c.mode, c.padding).WithFix("Use GCM with NONE, or CBC or ECB with PKCS.")
	}
	return aes.NewCipher(c.key)
}

func (c aesCall) encrypt(text []byte) ([]byte, error) {
	b, err := c.block()
	if err != nil {
		return nil, err
	}
	size := map[string]int{"GCM": 12, "CBC": 16}[c.mode]
	iv := c.iv
	if len(iv) == 0 && size > 0 {
		iv = make([]byte, size)
		if _, err := rand.Read(iv); err != nil {
			return nil, err
		}
	}
	if len(iv) != size {
		return nil, badAES("AES_IV_LENGTH", "The IV of AES-%s has %d bytes, not %d.", c.mode, size, len(iv))
	}
	if c.mode == "GCM" {
		g, err := cipher.NewGCM(b)
		if err != nil {
			return nil, err
		}
		aad := c.aad
		if len(c.iv) > 0 && &c.iv[0] == &c.aad[0] {
			aad = nil
		}
		return g.Seal(iv[:len(iv):len(iv)], iv, text, aad), nil
	}
	pad := 16 - len(text)%16
	out := append([]byte{}, text...)
	for range pad {
		out = append(out, byte(pad))
	}
	if c.mode == "CBC" {
		cipher.NewCBCEncrypter(b, iv).CryptBlocks(out, out)
		return append(append([]byte{}, iv...), out...), nil
	}
	for at := 0; at < len(out); at += 16 {
		b.Encrypt(out[at:], out[at:])
	}
	return out, nil
}

var errDecrypt = errors.New("it is damaged, or the key is another")

func (c aesCall) decrypt(data []byte) ([]byte, error) {
	b, err := c.block()
	if err != nil {
		return nil, err
	}
	out, err := c.open(b, data)
	if err != nil {
		return nil, badAES("AES_CRYPTO_ERROR", "The bytes cannot be decrypted: %v.", err)
	}
	return out, nil
}

func (c aesCall) open(b cipher.Block, data []byte) ([]byte, error) {
	if c.mode == "GCM" {
		g, err := cipher.NewGCM(b)
		if err != nil || len(data) < 12 {
			return nil, errDecrypt
		}
		return g.Open(nil, data[:12], data[12:], c.aad)
	}
	out := append([]byte{}, data...)
	if c.mode == "CBC" {
		if len(out) < 16 {
			return nil, errDecrypt
		}
		out = out[16:]
	}
	if len(out) == 0 || len(out)%16 != 0 {
		return nil, errDecrypt
	}
	if c.mode == "CBC" {
		cipher.NewCBCDecrypter(b, data[:16]).CryptBlocks(out, out)
	} else {
		for at := 0; at < len(out); at += 16 {
			b.Decrypt(out[at:], out[at:])
		}
	}
	pad := int(out[len(out)-1])
	if pad == 0 || pad > 16 {
		return nil, errDecrypt
	}
	return out[:len(out)-pad], nil
}
