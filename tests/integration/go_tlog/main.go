// A judge of our trees, proofs and notes that shares no code with them: golang.org/x/mod/sumdb behind JSON lines.
// One question a line on standard input, one answer a line on standard output. {"op":"entries"} sets the leaves that
// the later "root", "record" and "tree" are about; everything else stands alone.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type question struct {
	Op      string
	Entries [][]byte
	Entry   []byte
	Index   int64
	Size    int64
	Old     int64
	Root    []byte
	OldRoot []byte `json:"old_root"`
	Proof   [][]byte
	Note    string
	Keys    []string
	Text    string
}

type answer struct {
	OK      bool     `json:"ok"`
	Error   string   `json:"error,omitempty"`
	Hashes  [][]byte `json:"hashes,omitempty"`
	Text    string   `json:"text,omitempty"`
	Signers int      `json:"signers,omitempty"`
	Size    int64    `json:"size,omitempty"`
}

var stored []tlog.Hash

func read(places []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(places))
	for i, place := range places {
		found[i] = stored[place]
	}
	return found, nil
}

func hash(b []byte) tlog.Hash {
	var h tlog.Hash
	if len(b) != len(h) {
		panic("a hash has 32 bytes")
	}
	copy(h[:], b)
	return h
}

func hashes(list [][]byte) []tlog.Hash {
	var out []tlog.Hash
	for _, b := range list {
		out = append(out, hash(b))
	}
	return out
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func give(list []tlog.Hash) answer {
	a := answer{OK: true, Hashes: [][]byte{}}
	for i := range list {
		a.Hashes = append(a.Hashes, list[i][:])
	}
	return a
}

func reply(line []byte) (a answer) {
	defer func() {
		if fault := recover(); fault != nil {
			a = answer{Error: fmt.Sprint(fault)}
		}
	}()
	var q question
	must(json.Unmarshal(line, &q))
	reader := tlog.HashReaderFunc(read)
	switch q.Op {
	case "entries":
		stored = nil
		for i, entry := range q.Entries {
			more, err := tlog.StoredHashes(int64(i), entry, reader)
			must(err)
			stored = append(stored, more...)
		}
		return answer{OK: true}
	case "root":
		root, err := tlog.TreeHash(q.Size, reader)
		must(err)
		return give([]tlog.Hash{root})
	case "record":
		proof, err := tlog.ProveRecord(q.Size, q.Index, reader)
		must(err)
		return give(proof)
	case "tree":
		proof, err := tlog.ProveTree(q.Size, q.Old, reader)
		must(err)
		return give(proof)
	case "check_record":
		must(tlog.CheckRecord(hashes(q.Proof), q.Size, hash(q.Root), q.Index, tlog.RecordHash(q.Entry)))
		return answer{OK: true}
	case "check_tree":
		must(tlog.CheckTree(hashes(q.Proof), q.Size, hash(q.Root), q.Old, hash(q.OldRoot)))
		return answer{OK: true}
	case "open":
		var verifiers []note.Verifier
		for _, key := range q.Keys {
			verifier, err := note.NewVerifier(key)
			must(err)
			verifiers = append(verifiers, verifier)
		}
		opened, err := note.Open([]byte(q.Note), note.VerifierList(verifiers...))
		must(err)
		return answer{OK: true, Text: opened.Text, Signers: len(opened.Sigs)}
	case "sign":
		signer, err := note.NewSigner(q.Keys[0])
		must(err)
		signed, err := note.Sign(&note.Note{Text: q.Text}, signer)
		must(err)
		return answer{OK: true, Text: string(signed)}
	case "parse_tree":
		head, err := tlog.ParseTree([]byte(q.Text))
		must(err)
		return answer{OK: true, Size: head.N, Hashes: [][]byte{head.Hash[:]}, Text: string(tlog.FormatTree(head))}
	}
	panic("unknown op " + q.Op)
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<26)
	out := bufio.NewWriter(os.Stdout)
	for in.Scan() {
		line, err := json.Marshal(reply(in.Bytes()))
		must(err)
		out.Write(append(line, '\n'))
	}
	out.Flush()
	must(in.Err())
}
