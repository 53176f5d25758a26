;; The functions of the tests. Built by: wat2wasm testdata/functions.wat -o testdata/functions.wasm
(module
  (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 1024))

  ;; a bump allocator: it grows the memory, and gives 0 where it may not
  (func $alloc (export "sf_alloc") (param $size i32) (result i32)
    (local $at i32) (local $pages i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (local.set $pages (i32.sub
      (i32.shr_u (i32.add (global.get $next) (i32.const 65535)) (i32.const 16))
      (memory.size)))
    (if (i32.gt_s (local.get $pages) (i32.const 0))
      (then (if (i32.eq (memory.grow (local.get $pages)) (i32.const -1))
        (then (return (i32.const 0))))))
    (local.get $at))
  (func (export "sf_reset") (global.set $next (i32.const 1024)))

  (func (export "add") (param $a i64) (param $b i64) (result i64)
    (i64.add (local.get $a) (local.get $b)))
  (func (export "half") (param $x f64) (result f64)
    (f64.mul (local.get $x) (f64.const 0.5)))
  (func (export "even") (param $x i32) (result i32)
    (i32.eqz (i32.and (local.get $x) (i32.const 1))))

  ;; traps for zero
  (func (export "div") (param $a i32) (param $b i32) (result i32)
    (i32.div_s (local.get $a) (local.get $b)))

  (func (export "forever") (param $x i32) (result i32)
    (loop $l (br $l)) (unreachable))

  (func (export "bytes") (param $ptr i32) (param $len i32) (result i32)
    (local.get $len))

  ;; the string without its first byte; NULL for an empty one
  (func (export "tail") (param $ptr i32) (param $len i32) (result i64)
    (if (i32.eqz (local.get $len)) (then (return (i64.const -1))))
    (i64.or
      (i64.shl (i64.extend_i32_u (i32.add (local.get $ptr) (i32.const 1))) (i64.const 32))
      (i64.extend_i32_u (i32.sub (local.get $len) (i32.const 1)))))

  ;; a string that lies outside of the memory
  (func (export "wild") (param $x i32) (result i64)
    (i64.const 0x7fffffff00000010))

  ;; by batches: x*x, NULL where x is 0; -1 as first number is status 7
  (func (export "square_batch") (param $n i32) (param $args i32) (param $out i32) (result i32)
    (local $in i32) (local $to i32) (local $null i32) (local $i i32) (local $x i64)
    (local.set $in (i32.load (local.get $args)))
    (local.set $to (i32.load (local.get $out)))
    (local.set $null (i32.load offset=8 (local.get $out)))
    (if (i64.eq (i64.load (local.get $in)) (i64.const -1)) (then (return (i32.const 7))))
    (block $done (loop $next
      (br_if $done (i32.ge_u (local.get $i) (local.get $n)))
      (local.set $x (i64.load (i32.add (local.get $in) (i32.shl (local.get $i) (i32.const 3)))))
      (i64.store (i32.add (local.get $to) (i32.shl (local.get $i) (i32.const 3))) (i64.mul (local.get $x) (local.get $x)))
      (if (i64.eqz (local.get $x)) (then (i32.store8 (i32.add (local.get $null) (local.get $i)) (i32.const 1))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $next)))
    (i32.const 0))

  ;; by batches: its string argument as it is
  (func (export "same_batch") (param $n i32) (param $args i32) (param $out i32) (result i32)
    (i32.store (local.get $out) (i32.load (local.get $args)))
    (i32.store offset=4 (local.get $out) (i32.load offset=4 (local.get $args)))
    (i32.const 0)))
